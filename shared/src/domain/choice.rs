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

/// The option whose button was pressed.
#[must_use]
pub fn pressed(options: &[OfferedOption], uuid: &str) -> Option<Choice> {
    options.iter().find(|option| option.uuid.eq_ignore_ascii_case(uuid)).map(|option| option.choice.clone())
}

/// The option that typed words choose: the only one that they can mean.
#[must_use]
pub fn typed(options: &[OfferedOption], words: &str) -> Option<Choice> {
    let said = Said::of(words);
    let mut meant = options.iter().enumerate().filter(|(place, option)| said.can_mean(*place, &option.choice.label));
    let (_, first) = meant.next()?;
    meant.next().is_none().then(|| first.choice.clone())
}

/// Whether two labels cannot be told apart when they are typed.
#[must_use]
pub fn same_label(one: &str, other: &str) -> bool {
    let (one, other) = (Said::of(one), Said::of(other));
    one.as_it_is == other.as_it_is || (!one.plain.is_empty() && one.plain == other.plain)
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
        let number = number(&plain);
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
fn number(plain: &str) -> Option<usize> {
    let word = NUMBERS.iter().position(|words| words.contains(&plain)).map(|place| place + 1);
    word.or_else(|| plain.parse().ok())
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
    fn a_button_is_known_by_its_id() {
        let options = offered(&["Basic", "Team"]);
        assert_eq!(pressed(&options, &options[1].uuid.to_uppercase()).unwrap().label, "Team");
        assert_eq!(pressed(&options, "1"), None);
    }

    #[test]
    fn labels_that_read_the_same_are_the_same() {
        assert!(same_label("Café", "cafe!"));
        assert!(same_label("👍", "👍 "));
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
