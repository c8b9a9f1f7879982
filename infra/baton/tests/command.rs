//! The `baton` command as a person or a script uses it.

#[cfg(test)]
mod command {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Output, Stdio};
    use std::time::{Duration, Instant};

    fn baton() -> Command {
        Command::new(env!("CARGO_BIN_EXE_baton"))
    }

    fn said(output: &Output) -> String {
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    #[test]
    fn help_names_the_sandbox_and_a_wrong_argument_fails() {
        let help = baton().arg("--help").output().unwrap();
        assert!(help.status.success());
        assert!(String::from_utf8_lossy(&help.stdout).contains("sandbox"));
        let wrong = baton().args(["sandbox", "--colour"]).output().unwrap();
        assert!(!wrong.status.success());
        assert!(said(&wrong).contains("--colour"), "{}", said(&wrong));
    }

    #[test]
    fn a_bad_seed_is_named_with_its_place() {
        let file = std::env::temp_dir().join(format!("bad-seed-{}.json", std::process::id()));
        std::fs::write(&file, "{\"workspaces\": [}").unwrap();
        let failed = baton().args(["sandbox", "--listen", "127.0.0.1:0", "--seed"]).arg(&file).output().unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(failed.status.code(), Some(1));
        let place = format!("{}: ", file.display());
        assert!(said(&failed).contains(&place), "{}", said(&failed));
        assert!(said(&failed).contains("line 1 column 17"), "{}", said(&failed));
    }

    #[test]
    fn it_says_when_it_listens_refuses_a_taken_port_and_ends_on_a_signal() {
        let mut running = baton().args(["sandbox", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("sandbox listening on http://");
        let second = baton().args(["sandbox", "--listen", address.unwrap()]).output().unwrap();
        assert_eq!(second.status.code(), Some(1));
        let problem = format!("cannot listen on {}", address.unwrap());
        assert!(said(&second).contains(&problem), "{}", said(&second));

        let started = Instant::now();
        let pid = running.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(running.wait().unwrap().success());
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}
