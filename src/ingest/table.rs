//! A CSV file, read line by line, so that a broken row costs that row and no other.
//!
//! A row never goes on past the end of its line: a quote that is left open would otherwise swallow the rest of
//! the file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{Error, Report};

/// Longer lines are broken ones.
const MAX_LINE: u64 = 64 * 1024;

/// A CSV file of which `N` columns are wanted, by the names in its first line.
pub(super) struct Table<const N: usize> {
    /// The file's name, for reports.
    pub(super) name: &'static str,
    path: PathBuf,
    reader: BufReader<File>,
    text: String,
    fields: Vec<Range<usize>>,
    columns: usize,
    places: [usize; N],
    line: u64,
    read: u64,
    size: u64,
}

/// The wanted fields of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a, const N: usize> {
    /// The number of its line, the first is 1.
    pub(super) line: u64,
    /// Without spaces around them.
    pub(super) fields: [&'a str; N],
}

enum Step {
    Row,
    Skip,
    Broken(String),
    End,
}

impl<const N: usize> Table<N> {
    /// Opens a file of the folder; `None` if there is none.
    pub(super) fn open(folder: &Path, name: &'static str, wanted: [&str; N]) -> Result<Option<Self>, Error> {
        let path = folder.join(name);
        let failed = |error| Error::File { path: path.clone(), error };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?,
        };
        let size = file.metadata().map_err(failed)?.len();
        let reader = BufReader::with_capacity(1 << 18, file);
        let (text, fields) = (String::new(), Vec::new());
        let mut table = Self { name, path, reader, text, fields, columns: 0, places: [0; N], line: 0, read: 0, size };
        match table.step()? {
            Step::Row => {}
            Step::Broken(reason) => return Err(Error::Format(format!("{name}:1: {reason}"))),
            Step::Skip | Step::End => return Err(Error::Format(format!("{name}: the first line names no columns"))),
        }
        table.columns = table.fields.len();
        for (place, wanted) in table.places.iter_mut().zip(wanted) {
            let named = |range: &Range<usize>| table.text[range.clone()].trim() == wanted;
            let found = table.fields.iter().position(named);
            *place = found.ok_or_else(|| Error::Format(format!("{name}: there is no column {wanted}")))?;
        }
        Ok(Some(table))
    }

    /// The next sound row; broken ones are reported.
    pub(super) fn next(&mut self, report: &mut Report) -> Result<Option<Row<'_, N>>, Error> {
        loop {
            match self.step()? {
                Step::Row if self.fields.len() == self.columns => break,
                Step::Row => {
                    let reason = format!("{} columns instead of {}", self.fields.len(), self.columns);
                    report.reject(self.name, self.line, reason);
                }
                Step::Broken(reason) => report.reject(self.name, self.line, reason),
                Step::Skip => {}
                Step::End => return Ok(None),
            }
        }
        let fields = self.places.map(|place| self.text[self.fields[place].clone()].trim());
        Ok(Some(Row { line: self.line, fields }))
    }

    /// Bytes read so far, and in all.
    pub(super) fn position(&self) -> (u64, u64) {
        (self.read, self.size)
    }

    fn step(&mut self) -> Result<Step, Error> {
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        bytes.clear();
        let outcome = self.read_line(&mut bytes).map_err(|error| Error::File { path: self.path.clone(), error })?;
        if let Some(step) = outcome {
            return Ok(step);
        }
        while bytes.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
            bytes.pop();
        }
        if self.line == 1 && bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(..3);
        }
        let Ok(text) = String::from_utf8(bytes) else { return Ok(Step::Broken("not valid UTF-8".into())) };
        self.text = text;
        if self.text.trim().is_empty() {
            return Ok(Step::Skip);
        }
        if self.text.contains('\0') {
            return Ok(Step::Broken("a NUL character".into()));
        }
        Ok(self.split())
    }

    /// Fills `bytes` with the next line, if it is of a sane length.
    fn read_line(&mut self, bytes: &mut Vec<u8>) -> io::Result<Option<Step>> {
        let mut length = (&mut self.reader).take(MAX_LINE).read_until(b'\n', bytes)? as u64;
        self.read += length;
        if length == 0 {
            return Ok(Some(Step::End));
        }
        self.line += 1;
        if length < MAX_LINE || bytes.last() == Some(&b'\n') {
            return Ok(None);
        }
        while length > 0 && bytes.last() != Some(&b'\n') {
            bytes.clear();
            length = (&mut self.reader).take(MAX_LINE).read_until(b'\n', bytes)? as u64;
            self.read += length;
        }
        Ok(Some(Step::Broken(format!("longer than {MAX_LINE} bytes"))))
    }

    fn split(&mut self) -> Step {
        self.fields.clear();
        if self.text.contains('"') {
            return self.split_quoted();
        }
        let mut start = 0;
        for (at, _) in self.text.match_indices(',') {
            self.fields.push(start..at);
            start = at + 1;
        }
        self.fields.push(start..self.text.len());
        Step::Row
    }

    /// A line with quotes: the fields' own text takes the place of the line's.
    fn split_quoted(&mut self) -> Step {
        if self.text.matches('"').count() % 2 == 1 {
            return Step::Broken("a quote is not closed".into());
        }
        let mut record = csv::StringRecord::new();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(self.text.as_bytes());
        if let Err(error) = reader.read_record(&mut record) {
            return Step::Broken(error.to_string());
        }
        self.fields.extend((0..record.len()).filter_map(|field| record.range(field)));
        self.text = record.as_slice().to_owned();
        Step::Row
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::clock::Clock;

    fn read(content: &[u8]) -> (Vec<(u64, String)>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.csv"), content).unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let mut report = Report::new(Clock::System, move |line: &str| heard.lock().unwrap().push(line.to_owned()));
        let mut table = Table::open(folder.path(), "a.csv", ["y", "x"]).unwrap().unwrap();
        let mut rows = Vec::new();
        while let Some(row) = table.next(&mut report).unwrap() {
            rows.push((row.line, row.fields.join("|")));
        }
        assert_eq!(table.position(), (content.len() as u64, content.len() as u64));
        let said = said.lock().unwrap().clone();
        (rows, said)
    }

    #[test]
    fn columns_are_found_by_name_and_rows_keep_their_line() {
        let (rows, said) = read(b"\xef\xbb\xbfx,z,y\r\n1,2,3\r\n\r\n\"a, \"\"b\"\"\",, c \n4,5,6");
        assert_eq!(rows, [(2, "3|1".into()), (4, "c|a, \"b\"".into()), (5, "6|4".into())]);
        assert!(said.is_empty(), "{said:?}");
    }

    #[test]
    fn a_broken_line_costs_no_other() {
        let long = "9".repeat(200_000);
        let content = format!("x,y\n1,2\n3\n\"4,5\n6,7,8\n{long},1\n9,\0\n").into_bytes();
        let (rows, said) = read(&[content, b"\xff\xfe,1\n10,11\n".to_vec()].concat());
        assert_eq!(rows, [(2, "2|1".into()), (9, "11|10".into())]);
        let lines: Vec<_> = said.iter().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(lines, ["a.csv:3", "a.csv:4", "a.csv:5", "a.csv:6", "a.csv:7", "a.csv:8"]);
    }

    #[test]
    fn a_missing_column_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.csv"), "x\n").unwrap();
        let error = Table::open(folder.path(), "a.csv", ["y"]).err().unwrap();
        assert_eq!(error.to_string(), "a.csv: there is no column y");
        assert!(Table::open(folder.path(), "b.csv", ["y"]).unwrap().is_none());
    }
}
