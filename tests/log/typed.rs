//! What operators type about jobs and the log.

use std::process::{Command, Output};

use c360::auth::issue::NewKey;
use sea_orm::ConnectionTrait as _;

use crate::harness::{Backend, Database};

struct Shell {
    database: Database,
    folder: tempfile::TempDir,
}

impl Shell {
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_c360"));
        command.args(arguments).env_clear().env("DATABASE_URL", &self.database.url).current_dir(self.folder.path());
        command.env("C360_EVENTS_SIGNING_KEY_FILES", "heads.pem").output().unwrap()
    }

    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} goes well");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[tokio::test]
async fn an_operator_seals_takes_heads_elsewhere_and_verifies_against_them() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let shell = Shell { database: Database::demo(backend).await, folder: tempfile::tempdir().unwrap() };
        assert!(shell.fails(&["jobs", "list"]).contains("events.signing_key_files: heads.pem: cannot read"));
        std::fs::write(shell.folder.path().join("heads.pem"), NewKey::generate().unwrap().private_pem).unwrap();
        assert!(shell.fails(&["events", "heads"]).contains("no head is signed"));
        assert!(shell.says(&["verify"]).contains("events wait to be sealed"));
        let listed = shell.says(&["jobs", "list"]);
        assert!(listed.lines().any(|line| line.starts_with("seal ") && line.contains("led by nobody")), "{listed}");
        assert!(shell.fails(&["jobs", "run", "sael"]).contains("there is no job sael: there are seal"));
        let sealed = shell.says(&["jobs", "run", "seal"]);
        let events = crate::log::number_of(&shell.database.connection, "SELECT COUNT(*) FROM events").await;
        assert_eq!(sealed, format!("seal: {events} done\n"));
        assert_eq!(shell.says(&["jobs", "run", "seal"]), "seal: 0 done\n");
        assert!(shell.says(&["events", "heads", "--export", "heads.json"]).contains("heads.json"));
        assert!(shell.says(&["events", "heads"]).contains(&format!("{events}  ")));
        let verified = shell.says(&["verify", "--heads", "heads.json"]);
        assert!(
            verified.contains(&format!("{events} events are as they were sealed")) && !verified.contains("note:"),
            "{verified}"
        );
        assert!(shell.fails(&["verify", "--heads", "heads.pem"]).contains("is not what"));

        for cut in ["event_heads", "events"] {
            let cut = format!("DELETE FROM {cut} WHERE position > {}", events - 1);
            shell.database.connection.execute_unprepared(&cut).await.unwrap();
        }
        shell.says(&["verify"]);
        assert!(shell.fails(&["verify", "--heads", "heads.json"]).contains("1 rows are wrong"));
    }
}
