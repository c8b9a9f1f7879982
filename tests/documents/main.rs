//! Documents against code: what README and ARCHITECTURE say is so, what layers may name, what lies
//! in the root.

mod supply;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code of a file: without its tests and comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn must_not_name(layer: &str, forbidden: &[&str]) {
    let files = rust_files(&root().join(layer));
    assert!(!files.is_empty(), "{layer} has no code");
    for file in files {
        let code = code(&file);
        for word in forbidden {
            assert!(!code.contains(word), "{} names {word}", file.display());
        }
    }
}

#[test]
fn layers_name_only_what_lies_inwards() {
    let outside = ["aws_sdk", "aws_smithy", "reqwest", "lambda_runtime", "lambda_http", "tokio"];
    let with = |more: &[&'static str]| [&outside[..], more].concat();
    must_not_name(
        "shared/src/domain",
        &with(&[
            "crate::app",
            "crate::ports",
            "crate::wire",
            "crate::adapters",
            "crate::lambda",
            "crate::config",
            "tracing",
            "std::env",
            "SystemTime",
            "std::fs",
            "std::net",
            "async ",
        ]),
    );
    must_not_name(
        "shared/src/app",
        &with(&[
            "crate::wire",
            "crate::adapters",
            "crate::lambda",
            "crate::config",
            "serde_json",
            "std::env",
            "SystemTime",
            "StatusCode",
        ]),
    );
    must_not_name(
        "shared/src/wire",
        &with(&["crate::app", "crate::ports", "crate::adapters", "crate::lambda", "std::env", "SystemTime"]),
    );
    must_not_name("shared/src/adapters", &["lambda_runtime", "lambda_http", "std::env", "crate::app"]);
    for function in fs::read_dir(root().join("functions")).unwrap() {
        let name = function.unwrap().file_name().into_string().unwrap();
        must_not_name(&format!("functions/{name}/src"), &["aws_sdk", "reqwest", "std::env", "SystemTime"]);
        let manifest = read(&format!("functions/{name}/Cargo.toml"));
        assert!(!manifest.contains("path = \"../"), "{name} depends on another function");
    }
}

#[test]
fn a_functions_main_is_wiring_only() {
    for function in fs::read_dir(root().join("functions")).unwrap() {
        let main = code(&function.unwrap().path().join("src/main.rs"));
        let lines = main.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= 45, "{lines} lines are more than wiring:\n{main}");
        assert!(!main.contains("if ") || main.contains("not_opened"), "wiring does not decide:\n{main}");
    }
}

#[test]
fn the_schemas_are_those_of_the_code() {
    let schemas = baton_cli::schema::schemas();
    assert!(schemas.len() >= 3);
    for (name, schema) in schemas {
        let file = format!("shared/schema/{name}");
        assert_eq!(
            read(&file),
            schema,
            "{file} is not of this code: run `cargo run -p baton-cli -- schema shared/schema`"
        );
    }
}

/// The keys that the settings' reader knows, asked of it by a mistake in each place.
fn known_settings() -> BTreeSet<String> {
    let text = "zzz = 1\n[[workspace]]\nzzz = 1\n[workspace.handover]\nzzz = 1\n[workspace.email]\nzzz = 1\n[workspace.office_hours]\nzzz = 1\n[workspace.rules]\nzzz = 1\n[workspace.rules.office_hours]\nzzz = 1\n[[workspace.rules.rule]]\nzzz = 1\n[[workspace.transfer]]\nzzz = 1\n[workspace.transfer.nobody]\nzzz = 1\n[[bot]]\nzzz = 1\ntransport = \"https\"\n[[bot]]\nzzz = 1\ntransport = \"sqs\"\n";
    let mistakes = shared::wire::settings::parse(text).unwrap_err();
    let mut known = BTreeSet::new();
    for mistake in mistakes.0 {
        let Some((place, keys)) =
            mistake.message.strip_prefix("`zzz` is no setting of ").and_then(|rest| rest.split_once("; known are "))
        else {
            continue;
        };
        let prefix = match place {
            "the file" => "",
            "[[workspace]]" => "workspace.",
            "[workspace.handover]" => "workspace.handover.",
            "[workspace.email]" => "workspace.email.",
            "[workspace.rules]" => "workspace.rules.",
            // One table in either of two places.
            "[workspace.office_hours]" | "[workspace.rules.office_hours]" => "workspace.office_hours.",
            "[[workspace.rules.rule]]" => "workspace.rules.rule.",
            "[[workspace.transfer]]" => "workspace.transfer.",
            "[workspace.transfer.nobody]" => "workspace.transfer.nobody.",
            "[[bot]]" => "bot.",
            other => panic!("an unknown place: {other}"),
        };
        known.extend(keys.split(", ").map(|key| format!("{prefix}{key}")));
    }
    assert!(known.remove("bot") && known.remove("workspace"), "the sections themselves");
    known
}

#[test]
fn the_readmes_configuration_table_is_complete_and_true() {
    let readme = read("README.md");
    let section = readme.split("## Configuration").nth(1).unwrap().split("\n## ").next().unwrap();
    let documented: BTreeSet<String> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned)).collect();
    assert_eq!(documented, known_settings());
}

#[test]
fn the_example_of_the_settings_is_good() {
    let settings = shared::wire::settings::parse(&read("infra/baton.example.toml")).unwrap();
    assert_eq!((settings.workspaces.len(), settings.bots.len()), (1, 1));
}

#[test]
fn every_event_and_command_is_named_in_the_readme() {
    let readme = read("README.md");
    let event: serde_json::Value = serde_json::from_str(&read("shared/schema/event.schema.json")).unwrap();
    let command: serde_json::Value = serde_json::from_str(&read("shared/schema/command.schema.json")).unwrap();
    let mut names = Vec::new();
    for schema in [&event, &command] {
        for variant in schema["oneOf"].as_array().unwrap() {
            names.push(variant["properties"]["type"]["const"].as_str().unwrap().to_owned());
        }
    }
    assert!(names.len() >= 17, "{names:?}");
    for name in names {
        assert!(readme.contains(&format!("`{name}`")), "README.md does not tell of {name}");
    }
}

#[test]
fn the_code_map_names_every_module() {
    let map = read("ARCHITECTURE.md");
    for entry in fs::read_dir(root().join("shared/src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != "lib.rs" {
            assert!(map.contains(&format!("shared/src/{name}")), "ARCHITECTURE.md does not tell of shared/src/{name}");
        }
    }
    for entry in fs::read_dir(root().join("shared/src/app")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap().replace(".rs", "");
        assert!(name == "mod" || map.contains(&name), "ARCHITECTURE.md does not tell of the use case {name}");
    }
}

#[test]
fn the_root_stays_small() {
    let expected = [
        ".ci",
        ".gitignore",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "Makefile",
        "README.md",
        "clippy.toml",
        "functions",
        "infra",
        "rust-toolchain.toml",
        "rustfmt.toml",
        "shared",
        "tests",
    ];
    let own = [".git", ".tools", ".local", "target", "baton.toml"]; // not of the repository
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(expected.contains(&name.as_str()) || own.contains(&name.as_str()), "{name} lies in the root");
    }
}

#[test]
fn the_bot_of_the_readme_has_at_most_thirty_lines() {
    let readme = read("README.md");
    let bot = readme.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let lines = bot.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 30, "{lines} lines");
}

/// The words between quotation marks that follow `before` in the sandbox's code.
fn words_after(before: &str, files: &str) -> BTreeSet<String> {
    let code: String = rust_files(&root().join(files)).iter().map(|file| code(file)).collect();
    let found = code.split(before).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    found.map(str::to_owned).collect()
}

#[test]
fn the_sandboxs_readme_has_every_endpoint() {
    let readme = read("infra/sandbox/README.md");
    let routes = words_after(".route(", "infra/baton/src/sandbox");
    assert!(routes.len() > 40, "the routes are not found any more");
    // Outside of the control API, or the page itself.
    let elsewhere = ["/", "/oauth", "/auth/eagle/token", "/auth/uninstall", "/page/{name}"];
    let missing: Vec<_> = routes
        .iter()
        .filter(|route| !elsewhere.contains(&route.as_str()) && !route.is_empty())
        .filter(|route| {
            let path = route.replace("{file}", "{n}");
            !readme.contains(&format!("{path}`")) && !readme.contains(&format!("{path}?"))
        })
        .collect();
    assert!(missing.is_empty(), "not described: {missing:?}");
}

#[test]
fn the_sandboxs_readme_has_every_fault_and_every_verb_of_a_scenario() {
    let readme = read("infra/sandbox/README.md");
    let scenarios = root().join("infra/sandbox/scenarios");
    let mut verbs = BTreeSet::new();
    let mut faults = BTreeSet::new();
    for file in fs::read_dir(scenarios).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let scenario: toml::Table = text.parse().unwrap();
        for step in scenario["steps"].as_array().unwrap() {
            let step = step.as_table().unwrap();
            for verb in ["intercom_fails", "webhooks_fail"] {
                faults.extend(step.get(verb).and_then(|fault| fault.as_str()).map(str::to_owned));
            }
            let verb = step.keys().find(|key| readme.contains(&format!("`{key}`")) && !DETAILS.contains(&key.as_str()));
            assert!(verb.is_some(), "{step:?} has no verb that is described");
            verbs.extend(verb.cloned());
        }
    }
    assert!(verbs.len() > 20 && faults.len() > 8, "{verbs:?} {faults:?}");
    let missing: Vec<_> = faults.iter().filter(|fault| !readme.contains(&format!("`{fault}`"))).collect();
    assert!(missing.is_empty(), "not described: {missing:?}");
}

/// What stands in a step beside its verb.
const DETAILS: [&str; 3] = ["in", "within", "times"];

/// Every name of a test there is: of functions in Rust and Python, of descriptions in JavaScript, of scenarios.
fn names_of_tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut places =
        vec![root().join("tests"), root().join("shared/src"), root().join("infra"), root().join("functions")];
    while let Some(place) = places.pop() {
        for entry in fs::read_dir(&place).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                places.push(path);
            } else if path.parent().unwrap().ends_with("scenarios") {
                names.extend(name.strip_suffix(".toml").map(|name| format!("scenario:{name}")));
            } else if name.ends_with(".rs") || name.ends_with(".py") {
                let text = fs::read_to_string(&path).unwrap();
                let defined = text.lines().map(str::trim_start).filter_map(|line| {
                    line.strip_prefix("pub(crate) fn ")
                        .or_else(|| line.strip_prefix("fn "))
                        .or_else(|| line.strip_prefix("def "))
                        .and_then(|rest| rest.split('(').next())
                });
                names.extend(defined.map(str::to_owned));
                // The property tests are named after the fuzz targets, in one list.
                let targets = text.split("\ntargets! {").nth(1).and_then(|rest| rest.split('}').next());
                names.extend(targets.unwrap_or_default().split_whitespace().map(str::to_owned));
            }
        }
    }
    names
}

#[test]
fn every_failure_names_tests_that_there_are() {
    let (names, table) = (names_of_tests(), read("tests/FAILURES.md"));
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && line.chars().nth(3).is_some_and(|c| c.is_ascii_digit()))
        .map(|line| line.split(" | ").collect())
        .collect();
    assert!(rows.len() >= 55, "{} rows", rows.len());
    for row in rows {
        let tests = row.last().unwrap();
        assert!(tests.contains('`') || tests.contains("lives"), "{} names no test", row[0]);
        for name in tests.split('`').skip(1).step_by(2) {
            assert!(names.contains(name), "{}: there is no test {name}", row[0]);
        }
    }
}
