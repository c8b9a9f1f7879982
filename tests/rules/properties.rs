//! What holds for every turn and all rules.

use std::collections::BTreeSet;

use proptest::prelude::*;
use shared::domain::ids::{TeamId, Timestamp};
use shared::domain::part::{Assignee, Profile};
use shared::domain::rules::{
    Because, Circumstances, Conditions, Confidence, Deed, Intent, Node, Rule, Rules, Turn, decide,
};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![Just(Deed::Nothing), Just(Deed::Send), Just(Deed::Suggest), Just(Deed::Answer)]
}

fn names() -> impl Strategy<Value = BTreeSet<String>> {
    prop::collection::btree_set(prop::sample::select(&NAMES[..]).prop_map(str::to_owned), 0..3)
}

fn rule() -> impl Strategy<Value = Rule> {
    (
        names(),
        deeds(),
        prop::option::of(0_u16..=1000),
        prop::collection::btree_set("[tu]", 0..2),
        any::<bool>(),
        1_u8..4,
    )
        .prop_map(|(nodes, deed, confidence, tags, shadow, team)| Rule {
            nodes,
            deed,
            to: Some(Assignee::Team(TeamId::parse(team.to_string()).unwrap())),
            confidence: confidence.map(Confidence),
            when: Conditions { tags, ..Conditions::default() },
            shadow,
            line: 0,
        })
}

fn rules() -> impl Strategy<Value = Rules> {
    (prop::collection::vec(rule(), 0..6), deeds(), 0_u16..=1000).prop_map(|(mut rules, deed, confidence)| {
        for (position, rule) in rules.iter_mut().enumerate() {
            rule.line = position + 1;
        }
        let default = Rule { deed, ..Rule::default() };
        Rules { rules, default, email: None, confidence: Confidence(confidence) }
    })
}

fn turn() -> impl Strategy<Value = Turn> {
    let node = (prop::sample::select(&NAMES[..]), prop::option::of(prop::sample::select(&NAMES[..])), any::<bool>())
        .prop_map(|(id, name, is_folder)| Node {
            id: id.to_owned(),
            name: name.map(str::to_owned),
            is_folder,
            ..Node::default()
        });
    (prop::collection::vec(node, 0..3), prop::collection::vec(0_u16..=1000, 0..3)).prop_map(|(nodes, confidences)| {
        let intent = |confidence| Intent { name: "i".to_owned(), confidence: Confidence(confidence) };
        Turn { nodes, intents: confidences.into_iter().map(intent).collect(), candidates: Vec::new() }
    })
}

/// The rules that could decide on the turn, were they alone: those that name its node here and now.
fn that_hold(rules: &Rules, turn: &Turn, circumstances: &Circumstances<'_>) -> Vec<usize> {
    let alone = |rule: &Rule| Rules { rules: vec![rule.clone()], ..rules.clone() };
    // A rule's own target shows in every ruling that it had a part in; the default has none.
    let holds = |rule: &&Rule| decide(&alone(rule), turn, circumstances, None).to == rule.to;
    rules.rules.iter().filter(holds).map(|rule| rule.line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_turn_has_one_ruling_and_the_ruling_has_its_reason(
        rules in rules(), turn in turn(), tagged in any::<bool>(), granted in prop::option::of(prop::sample::select(&NAMES[..])),
    ) {
        let profile = Profile { tags: if tagged { vec!["t".to_owned()] } else { vec![] }, ..Profile::default() };
        let nobody = Assignee::Nobody;
        let circumstances = Circumstances { inbox: &nobody, profile: &profile, now: Timestamp(0), office: None };
        let ruling = decide(&rules, &turn, &circumstances, granted);
        prop_assert_eq!(&ruling, &decide(&rules, &turn, &circumstances, granted));
        let holding = that_hold(&rules, &turn, &circumstances);
        match ruling.because {
            Because::Rule { line } => {
                let rule = &rules.rules[line - 1];
                prop_assert!(holding.contains(&line));
                prop_assert_eq!((ruling.deed, &ruling.to, ruling.shadow), (rule.deed, &rule.to, rule.shadow));
            }
            Because::Default => {
                prop_assert!(holding.is_empty(), "the default is for nodes that no rule names");
                prop_assert_eq!(ruling.deed, rules.default.deed);
            }
            Because::Email => prop_assert!(false, "it is no e-mail"),
            Because::Unsure { is, needed } => {
                prop_assert!(is < needed);
                prop_assert_eq!(Some(is), turn.confidence());
                prop_assert_eq!(ruling.deed, Deed::Nothing, "what the bot is not sure of it does not say");
            }
            Because::Granted => {
                let root = turn.root().map(|root| root.id);
                prop_assert_eq!(root.as_deref(), granted);
            }
        }
        if ruling.deed == Deed::Answer && ruling.because != Because::Granted {
            let line = match ruling.because { Because::Rule { line } => Some(line), _ => None };
            let set = line.and_then(|line| rules.rules[line - 1].confidence).unwrap_or(rules.confidence);
            prop_assert!(turn.confidence().is_none_or(|confidence| confidence >= set), "an answer below its threshold");
        }
    }

    #[test]
    fn the_order_of_rules_that_do_not_overlap_is_irrelevant(
        rules in rules(), turn in turn(), keys in prop::collection::vec(any::<u32>(), 6),
    ) {
        let (profile, nobody) = (Profile::default(), Assignee::Nobody);
        let circumstances = Circumstances { inbox: &nobody, profile: &profile, now: Timestamp(0), office: None };
        let holding = that_hold(&rules, &turn, &circumstances);
        // Those that hold for this turn overlap in it, and keep their order; the others go anywhere.
        let mut shuffled: Vec<(u32, Rule)> = Vec::new();
        let mut last = 0;
        for (rule, key) in rules.rules.iter().zip(&keys) {
            let key = if holding.contains(&rule.line) { last = (*key).max(last); last } else { *key };
            shuffled.push((key, rule.clone()));
        }
        shuffled.sort_by_key(|(key, _)| *key);
        let other = Rules { rules: shuffled.into_iter().map(|(_, rule)| rule).collect(), ..rules.clone() };
        prop_assert_eq!(decide(&rules, &turn, &circumstances, None), decide(&other, &turn, &circumstances, None));
    }

    #[test]
    fn a_rule_that_is_said_never_to_match_never_decides(rules in rules(), turn in turn(), tagged in any::<bool>()) {
        let profile = Profile { tags: if tagged { vec!["t".to_owned()] } else { vec![] }, ..Profile::default() };
        let nobody = Assignee::Nobody;
        let circumstances = Circumstances { inbox: &nobody, profile: &profile, now: Timestamp(0), office: None };
        if let Because::Rule { line } = decide(&rules, &turn, &circumstances, None).because {
            prop_assert!(rules.overshadowed_by(line - 1).is_empty());
        }
    }
}
