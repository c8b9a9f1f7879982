//! Which of the options that it was offered a customer's message chooses.
//!
//! A pressed button is known by its id. Typed answers are known by the option's number or by its
//! label, whatever their case, accents and punctuation. What could mean two options chooses none: the
//! bot has the words, and asks. Nothing is guessed from a sentence that only mentions a label.

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::content::{Choice, OfferedOption};

/// The words for 1 to 10, in the languages of most workspaces. One word is one number in all of them.
const NUMBERS: [&[&str]; 10] = [
    &["one", "eins", "ein", "eine", "un", "une", "uno", "una", "um", "uma"],
    &["two", "zwei", "deux", "dos", "due", "dois", "duas"],
    &["three", "drei", "trois", "tres", "tre"],
    &["four", "vier", "quatre", "cuatro", "quattro", "quatro"],
    &["five", "funf", "fuenf", "cinq", "cinco", "cinque"],
    &["six", "sechs", "seis", "sei"],
    &["seven", "sieben", "sept", "siete", "sette", "sete"],
    &["eight", "acht", "huit", "ocho", "otto", "oito"],
    &["nine", "neun", "neuf", "nueve", "nove"],
    &["ten", "zehn", "dix", "diez", "dieci", "dez"],
];

/// What people write in front of a number that they choose by.
const COUNTED: [&str; 10] =
    ["option", "number", "nr", "nummer", "numero", "opcion", "opzione", "opcao", "optie", "antwort"];

/// The option whose button was pressed.
#[must_use]
pub fn pressed(options: &[OfferedOption], uuid: &str) -> Option<Choice> {
    options.iter().find(|option| option.uuid.eq_ignore_ascii_case(uuid)).map(|option| option.choice.clone())
}

/// The option that typed words choose: the only one that they can mean. A label typed sign by sign means
/// that one, unless it is a number as well.
#[must_use]
pub fn typed(options: &[OfferedOption], words: &str) -> Option<Choice> {
    let said = Said::of(words);
    let exact = |option: &&OfferedOption| same_label(&option.choice.label, words);
    if let Some(option) = options.iter().find(exact).filter(|_| !is_number_of_a_list(&said.as_it_is)) {
        return Some(option.choice.clone());
    }
    let mut meant = options.iter().enumerate().filter(|(place, option)| said.can_mean(*place, &option.choice.label));
    let (_, first) = meant.next()?;
    meant.next().is_none().then(|| first.choice.clone())
}

/// Whether two labels read the same. Those that differ by a sign only, "C" and "C++", are told apart by it.
#[must_use]
pub fn same_label(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Whether somebody who writes this may count: "2", "2.", "(2)", "#2". Nobody counts with "+2".
fn is_number_of_a_list(words: &str) -> bool {
    let digits = words.trim_matches(['.', ')', '(', '#', ' ']);
    !digits.is_empty() && digits.chars().all(char::is_numeric)
}

/// What somebody wrote, ready to compare.
struct Said {
    /// As written, without space around it: emoji have nothing else.
    as_it_is: String,
    /// Letters and digits only, in lower case, without accents; one space between words.
    plain: String,
    /// The number that it is, and nothing else.
    number: Option<usize>,
}

impl Said {
    fn of(words: &str) -> Self {
        let as_it_is = words.trim().to_owned();
        let plain = plain(&as_it_is);
        let (first, rest) = plain.split_once(' ').unwrap_or(("", &plain));
        let number = number(if COUNTED.contains(&first) { rest } else { &plain });
        Self { as_it_is, plain, number }
    }

    fn can_mean(&self, place: usize, label: &str) -> bool {
        let label = Self::of(label);
        if self.plain.is_empty() {
            return !self.as_it_is.is_empty() && self.as_it_is == label.as_it_is;
        }
        if self.plain == label.plain {
            return true;
        }
        match self.number {
            Some(number) => number == place + 1 || label.names(number),
            // The number with the label: "2. Team".
            None => self.plain.strip_prefix(&format!("{} ", place + 1)).is_some_and(|rest| rest == label.plain),
        }
    }
}

impl Said {
    /// Whether a number in this label may be meant: "2" of "2 persons" and "3 persons". A word for 1 is
    /// an article as well, and counts only where it is the whole label.
    fn names(&self, number: usize) -> bool {
        let is_meant = |word: &str| self::number(word) == Some(number) && (number > 1 || word == "1");
        self.number == Some(number) || self.plain.split(' ').any(is_meant)
    }
}

/// The number that a text is, written in digits or as a word.
pub(super) fn number(plain: &str) -> Option<usize> {
    let word = NUMBERS.iter().position(|words| words.contains(&plain)).map(|place| place + 1);
    word.or_else(|| plain.chars().map(western).collect::<Option<String>>()?.parse().ok())
}

/// A digit of any of the scripts that count in tens, as 0 to 9.
fn western(digit: char) -> Option<char> {
    let zeros = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}'];
    let value = zeros.into_iter().filter_map(|zero| u32::from(digit).checked_sub(u32::from(zero)));
    value.filter(|value| *value < 10).find_map(|value| char::from_digit(value, 10))
}

/// Letters and digits in lower case and without accents, in words.
fn plain(text: &str) -> String {
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let mut out = String::with_capacity(decomposed.len());
    for character in decomposed.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            match character {
                'ß' => out.push_str("ss"),
                'ø' => out.push('o'),
                'ł' => out.push('l'),
                'æ' => out.push_str("ae"),
                'œ' => out.push_str("oe"),
                'ı' => out.push('i'),
                character => out.push(character),
            }
        } else if is_between_words(character) && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.trim().to_owned()
}

/// Whether a character parts words. Marks on letters, apostrophes and what is not seen do not.
fn is_between_words(character: char) -> bool {
    let is_mark = matches!(character, '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}');
    let is_unseen = matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    !is_mark && !is_unseen && !matches!(character, '\'' | '’' | '`' | '´')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(labels: &[&str]) -> Vec<OfferedOption> {
        let option = |(place, label): (usize, &&str)| OfferedOption {
            uuid: format!("00000000-0000-8000-8000-00000000000{place}"),
            choice: Choice { label: (*label).to_owned(), value: format!("v{}", place + 1) },
        };
        labels.iter().enumerate().map(option).collect()
    }

    #[test]
    fn a_number_or_the_label_however_it_is_typed_chooses() {
        let options = offered(&["Básico – free", "Team", "I'm not sure…", "Größer", "👍"]);
        for (words, value) in [
            ("2", "v2"),
            ("2.", "v2"),
            (" 2) ", "v2"),
            ("#2", "v2"),
            ("(2)", "v2"),
            ("2️⃣", "v2"),
            ("２", "v2"),
            ("two", "v2"),
            ("Two!", "v2"),
            ("ZWEI", "v2"),
            ("fünf", "v5"),
            ("funf", "v5"),
            ("team", "v2"),
            ("TEAM!!", "v2"),
            ("„Team“", "v2"),
            ("2. Team", "v2"),
            ("Option 2", "v2"),
            ("Nr. 2", "v2"),
            ("número 2", "v2"),
            ("number two", "v2"),
            ("٢", "v2"),
            ("२", "v2"),
            ("2 - team.", "v2"),
            ("basico free", "v1"),
            ("BÁSICO, FREE.", "v1"),
            ("ba\u{301}sico — free", "v1"),
            ("im not sure", "v3"),
            ("I’m not sure", "v3"),
            ("grosser", "v4"),
            ("GRÖSSER", "v4"),
            ("👍", "v5"),
            (" 👍\n", "v5"),
        ] {
            let found = typed(&options, words).map(|choice| choice.value);
            assert_eq!(found.as_deref(), Some(value), "{words:?}");
        }
    }

    #[test]
    fn what_is_ambiguous_or_something_else_chooses_nothing() {
        let options = offered(&["Basic", "Team", "Other"]);
        for words in
            ["", " ", "?", "0", "4", "99999999999999999999", "-", "2 3", "1. Team", "the team one", "teams", "👍"]
        {
            assert_eq!(typed(&options, words), None, "{words:?}");
        }
        let persons = offered(&["2 persons", "3 persons", "More"]);
        assert_eq!(typed(&persons, "2"), None, "the first by its label, or the second by its number");
        assert_eq!(typed(&persons, "two"), None);
        assert_eq!(typed(&persons, "2 persons").map(|choice| choice.value).as_deref(), Some("v1"));
        assert_eq!(typed(&persons, "1").map(|choice| choice.value).as_deref(), Some("v1"));
        let counted = offered(&["1 person", "2 persons"]);
        assert_eq!(typed(&counted, "2").map(|choice| choice.value).as_deref(), Some("v2"));
        assert_eq!(typed(&offered(&["Three", "Two", "One"]), "2").map(|choice| choice.value).as_deref(), Some("v2"));
        assert_eq!(typed(&offered(&["Three", "Two", "One"]), "1"), None);
        let drinks = offered(&["Thé", "Un café"]);
        assert_eq!(typed(&drinks, "1").map(|choice| choice.value).as_deref(), Some("v1"), "an article is no number");
        assert_eq!(typed(&[], "1"), None);
    }

    #[test]
    fn labels_that_differ_by_a_sign_are_told_apart_by_it() {
        let value = |labels: &[&str], words: &str| typed(&offered(labels), words).map(|choice| choice.value);
        for (labels, words, meant) in [
            (["C", "C++"], "C++", Some("v2")),
            (["C", "C++"], " C ", Some("v1")),
            (["C", "C++"], "c++", Some("v2")),
            (["C", "C++"], "c!", None),
            (["C", "C++"], "2", Some("v2")),
            (["-1", "+1"], "+1", Some("v2")),
            (["-1", "+1"], "-1", Some("v1")),
            (["50 %", "50 €"], "50 €", Some("v2")),
            (["50 %", "50 €"], "50", None),
            (["2", "Other"], "2", None),
            (["2.", "Other"], "2.", None),
            (["Other", "2"], "2", Some("v2")),
        ] {
            assert_eq!(value(&labels, words).as_deref(), meant, "{labels:?} {words:?}");
        }
    }

    #[test]
    fn a_button_is_known_by_its_id() {
        let options = offered(&["Basic", "Team"]);
        assert_eq!(pressed(&options, &options[1].uuid.to_uppercase()).unwrap().label, "Team");
        assert_eq!(pressed(&options, "1"), None);
    }

    #[test]
    fn labels_that_read_the_same_are_the_same() {
        assert!(same_label("Café", "CAFÉ "));
        assert!(same_label("👍", "👍 "));
        assert!(!same_label("C", "C++") && !same_label("+1", "-1"));
        assert!(!same_label("👍", "👎"));
        assert!(!same_label("Team", "Teams"));
    }

    #[test]
    fn no_word_is_two_numbers() {
        let words: Vec<_> = NUMBERS.iter().flat_map(|words| words.iter()).collect();
        for word in &words {
            assert_eq!(words.iter().filter(|other| other == &word).count(), 1, "{word}");
            assert_eq!(plain(word), **word, "written as it is compared");
        }
    }
}
