//! Batches: from lines to the database, and what becomes of those that cannot be written.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use sea_orm::{DatabaseConnection, DbErr};
use serde_json::json;
use tokio::sync::mpsc;

use super::Options;
use super::draft::{Draft, Outcome};
use super::items::Whose;
use super::known::Known;
use super::lines::{Line, Lines, Place};
use super::parse::{Item, Key, Parsed, Problem, parse};
use super::waiting::Waiting;
use super::world::World;
use crate::bulk;
use crate::ingest::{Error, Report};

/// Bytes after which a batch is full, however few its items.
const BYTES: usize = 16 << 20;
/// Batches that are read ahead.
const AHEAD: usize = 1;
/// How often a batch is tried again that somebody else came in between of.
const TRIES: usize = 5;

/// Lines that were read together.
#[derive(Default)]
struct Chunk {
    sound: Vec<Parsed>,
    broken: Vec<(Place, Problem)>,
    bytes: usize,
    /// Bytes read so far, and in all.
    position: (u64, u64),
}

impl Chunk {
    fn add(&mut self, (place, line): Line) {
        match line.map_err(|reason| (place.clone(), Problem::new("", reason))).and_then(|text| {
            self.bytes += text.len();
            parse(place, text)
        }) {
            Ok(parsed) => self.sound.push(parsed),
            Err(broken) => self.broken.push(broken),
        }
    }

    fn is_full(&self, items: usize) -> bool {
        self.sound.len() + self.broken.len() >= items || self.bytes >= BYTES
    }
}

/// Writes batches.
pub(super) struct Writer<'a> {
    db: &'a DatabaseConnection,
    world: World,
    report: &'a mut Report,
    rejects: Option<(PathBuf, BufWriter<File>)>,
    batch: usize,
    waiting: Waiting,
    /// Whether what is missing is still to come.
    patient: bool,
    lines: u64,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        db: &'a DatabaseConnection,
        world: World,
        options: Options<'_>,
        report: &'a mut Report,
    ) -> Result<Self, Error> {
        let open = |path: &Path| match File::create(path) {
            Ok(file) => Ok((path.to_owned(), BufWriter::new(file))),
            Err(error) => Err(Error::File { path: path.to_owned(), error }),
        };
        let rejects = options.rejects.map(open).transpose()?;
        report.begin("ndjson");
        let (waiting, batch) = (Waiting::default(), options.batch.max(1));
        Ok(Self { db, world, report, rejects, batch, waiting, patient: true, lines: 0 })
    }

    /// Writes all lines; those that name something that is still to come wait.
    pub(super) async fn read(&mut self, mut lines: Lines) -> Result<(), Error> {
        let (sender, mut chunks) = mpsc::channel(AHEAD);
        let items = self.batch;
        // Reading and parsing go on while the database writes.
        let reader = tokio::task::spawn_blocking(move || -> Result<(), Error> {
            loop {
                let mut chunk = Chunk::default();
                while !chunk.is_full(items) {
                    let Some(line) = lines.next()? else { break };
                    chunk.add(line);
                }
                chunk.position = lines.position();
                let last = chunk.sound.is_empty() && chunk.broken.is_empty();
                if last || sender.blocking_send(chunk).is_err() {
                    return Ok(());
                }
            }
        });
        while let Some(chunk) = chunks.recv().await {
            let (read, size) = chunk.position;
            self.write_chunk(chunk).await?;
            self.report.progress(self.lines, read, size);
        }
        reader.await.map_err(|error| Error::Format(format!("reading stopped: {error}")))?
    }

    /// Writes what waits, as long as that brings something in; the rest is left out.
    pub(super) async fn finish(mut self) -> Result<(), Error> {
        while self.waiting.len() > 0 {
            let before = self.waiting.len();
            self.report.say(&format!("{before} lines name something that came later: once more"));
            self.again().await?;
            self.patient = self.waiting.len() < before;
        }
        if let Some((path, file)) = &mut self.rejects {
            file.flush().map_err(|error| Error::File { path: path.clone(), error })?;
        }
        Ok(())
    }

    async fn again(&mut self) -> Result<(), Error> {
        let failed = |error| Error::File { path: std::env::temp_dir(), error };
        let mut chunk = Chunk::default();
        for line in std::mem::take(&mut self.waiting).into_lines().map_err(failed)? {
            chunk.add(line.map_err(failed)?);
            if chunk.is_full(self.batch) {
                self.write_chunk(std::mem::take(&mut chunk)).await?;
            }
        }
        self.write_chunk(chunk).await
    }

    async fn write_chunk(&mut self, chunk: Chunk) -> Result<(), Error> {
        self.lines += (chunk.sound.len() + chunk.broken.len()) as u64;
        for (place, problem) in chunk.broken {
            self.reject(&place, None, &problem)?;
        }
        let mut rest = chunk.sound;
        while !rest.is_empty() {
            let (now, later) = without_repetition(rest);
            self.write_all(now).await?;
            rest = later;
        }
        Ok(())
    }

    /// Writes items of which each is there once. A batch that the database refuses is halved until the item is
    /// found that it does not take.
    async fn write_all(&mut self, items: Vec<Parsed>) -> Result<(), Error> {
        let mut stack = vec![(items, 0)];
        while let Some((items, tries)) = stack.pop() {
            let Err(error) = self.write_once(&items).await? else { continue };
            match bulk::refusal(&error) {
                _ if bulk::is_conflict(&error) && tries < TRIES => stack.push((items, tries + 1)),
                // It may be there by now, because somebody else has brought it in.
                Some(_) if items.len() == 1 && tries == 0 => stack.push((items, 1)),
                Some(reason) if items.len() == 1 => {
                    let problem = Problem::new("", format!("the database refuses it: {reason}"));
                    for item in &items {
                        self.reject(&item.place, Some(&item.key), &problem)?;
                    }
                }
                Some(_) => {
                    let mut first = items;
                    let second = first.split_off(first.len() / 2);
                    stack.extend([(second, 0), (first, 0)]);
                }
                None => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Tries to write items; what is wrong with some of them is told once the others are in.
    async fn write_once(&mut self, items: &[Parsed]) -> Result<Result<(), DbErr>, Error> {
        let known = Known::of(self.db, &self.world, items).await?;
        let mut draft = Draft::new(self.db, &self.world, known);
        let mut problems = Vec::new();
        for item in items {
            if let Err(problem) = draft.apply(item) {
                problems.push((item, problem));
            }
        }
        let surveys = std::mem::take(&mut draft.surveys);
        let outcomes = match draft.write(self.db).await {
            Ok(outcomes) => outcomes,
            Err(error) => return Ok(Err(error)),
        };
        self.world.surveys.extend(surveys);
        for ((kind, outcome), n) in outcomes {
            self.report.count(counted(kind, outcome), n);
        }
        for (item, problem) in problems {
            if problem.may_pass && self.patient {
                let kept = self.waiting.add(&item.place, &item.text);
                kept.map_err(|error| Error::File { path: std::env::temp_dir(), error })?;
            } else {
                self.reject(&item.place, Some(&item.key), &problem)?;
            }
        }
        Ok(Ok(()))
    }

    fn reject(&mut self, place: &Place, key: Option<&Key>, problem: &Problem) -> Result<(), Error> {
        let Problem { field, reason, .. } = problem;
        let Some((path, file)) = &mut self.rejects else {
            let before = if field.is_empty() { String::new() } else { format!("{field}: ") };
            self.report.reject(&place.file, place.line, format!("{before}{reason}"));
            return Ok(());
        };
        self.report.leave_out();
        let line = json!({
            "file": &*place.file,
            "line": place.line,
            "type": key.map(|key| key.kind),
            "source": key.map(|key| &key.source),
            "id": key.map(|key| &key.id),
            "field": field,
            "reason": reason,
        });
        writeln!(file, "{line}").map_err(|error| Error::File { path: path.clone(), error })
    }
}

fn counted(kind: &str, outcome: Outcome) -> String {
    let outcome = match outcome {
        Outcome::Added => "added",
        Outcome::Updated => "updated",
        Outcome::Unchanged => "there already",
        Outcome::Older => "older than what is there",
    };
    format!("{kind}: {outcome}")
}

/// Parts items into those of which each is there for the first time, and the rest; whose customer has something in
/// the rest, has all that follows there, too, so that the order of a customer's items stays.
fn without_repetition(items: Vec<Parsed>) -> (Vec<Parsed>, Vec<Parsed>) {
    let (mut keys, mut held) = (HashSet::new(), HashSet::new());
    items.into_iter().partition(|item| {
        let owner = owner(item);
        let first = !held.contains(&owner) && keys.insert(item.key.clone());
        if !first {
            held.insert(owner);
        }
        first
    })
}

/// Whose an item is, as it says.
fn owner(item: &Parsed) -> String {
    match (&item.item, item.item.whose()) {
        (Item::Customer(customer), _) => format!("{}\0{}", customer.source.0, customer.id.0),
        (_, Some(Whose { id: Some(id), source, .. })) => {
            format!("{}\0{}", source.as_ref().map_or(&item.key.source, |source| &source.0), id.0)
        }
        (_, whose) => format!("{whose:?}"),
    }
}
