//! The physical limits that c360 is measured against, and the check that both give the same answers.
//!
//! `limits serve` is the least that could answer: the finished JSON from Redis, or the text of one SQL statement.
//! It knows no callers and checks nothing; a gateway that does carries work that this one does not.
//! `limits ids` writes uuids as the ids of customers, `limits compare` holds answers against each other,
//! `limits writes` a mutation against the same rows written by hand.

mod compare;
mod server;
mod writes;

use std::error::Error;
use std::io::{BufRead, Write};
use std::process::ExitCode;

use c360_rules::id::{self, Kind};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage:
  limits serve             with LISTEN, DATABASE_URL, REDIS_URL, STATEMENT (a file) and CONNECTIONS (8) set
  limits ids               uuids on standard input, ids of customers on standard output
  limits writes            with DATABASE_URL, GATEWAY (HOST:PORT), TOKEN (of an administrator) and ROUNDS (1000) set
  limits compare FOLDER    compares each NAME.gateway.json in it with NAME.sql.json";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => server::run(),
        ["ids"] => ids(),
        ["writes"] => writes::run(),
        ["compare", folder] => compare::run(folder.as_ref()),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn ids() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        writeln!(out, "{}", id::encode(Kind::Customer, line?.trim().parse()?))?;
    }
    Ok(out.flush()?)
}
