//! The lines of a file, of standard input, or of every `*.ndjson` of a folder, however long they are.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ingest::Error;

/// A longer line is passed over without being held.
pub(super) const MAX_LINE: usize = 1 << 20;

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: Arc<str>,
    pub(super) line: u64,
}

/// A line, or why it cannot be read.
pub(super) type Line = (Place, Result<String, &'static str>);

/// Lines that are not blank.
pub(super) struct Lines {
    /// Those to come, last first.
    files: Vec<PathBuf>,
    current: Option<Open>,
    read: u64,
    size: u64,
}

struct Open {
    path: PathBuf,
    name: Arc<str>,
    reader: Box<dyn BufRead + Send>,
    line: u64,
}

impl Lines {
    /// The lines at a path; `-` is standard input. Of a folder, the files whose names end in `.ndjson`, by name.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        if path == Path::new("-") {
            let reader: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(1 << 18, io::stdin()));
            let current = Some(Open { path: path.to_owned(), name: "-".into(), reader, line: 0 });
            return Ok(Self { files: Vec::new(), current, read: 0, size: 0 });
        }
        let failed = |error| Error::File { path: path.to_owned(), error };
        let mut files = vec![path.to_owned()];
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            let entries: Result<Vec<_>, _> = std::fs::read_dir(path).map_err(failed)?.collect();
            files = entries.map_err(failed)?.into_iter().map(|entry| entry.path()).collect();
            files.retain(|file| file.extension().is_some_and(|extension| extension == "ndjson"));
            files.sort_unstable_by(|a, b| b.cmp(a));
            if files.is_empty() {
                return Err(Error::Format(format!("{}: there is no file *.ndjson", path.display())));
            }
        }
        let size = files.iter().filter_map(|file| std::fs::metadata(file).ok()).map(|file| file.len()).sum();
        Ok(Self { files, current: None, read: 0, size })
    }

    /// Bytes read so far, and in all (0 if nobody knows).
    pub(super) fn position(&self) -> (u64, u64) {
        (self.read, self.size)
    }

    /// The next line.
    pub(super) fn next(&mut self) -> Result<Option<Line>, Error> {
        loop {
            if self.current.is_none() {
                let Some(path) = self.files.pop() else { return Ok(None) };
                let file = File::open(&path).map_err(|error| Error::File { path: path.clone(), error })?;
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into();
                let reader = Box::new(BufReader::with_capacity(1 << 18, file));
                self.current = Some(Open { path, name, reader, line: 0 });
            }
            let Some(open) = &mut self.current else { continue };
            let (line, bytes) = open.next().map_err(|error| Error::File { path: open.path.clone(), error })?;
            self.read += bytes;
            match line {
                _ if bytes == 0 => self.current = None,
                Some(Ok(text)) if text.trim().is_empty() => {}
                Some(line) => {
                    let place = Place { file: open.name.clone(), line: open.line };
                    return Ok(Some((place, line)));
                }
                None => {}
            }
        }
    }
}

impl Open {
    /// The next line and how many bytes it took; none at the end.
    fn next(&mut self) -> io::Result<(Option<Result<String, &'static str>>, u64)> {
        let mut bytes = Vec::new();
        let mut taken = self.reader.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut bytes)? as u64;
        if taken == 0 {
            return Ok((None, 0));
        }
        self.line += 1;
        if bytes.len() > MAX_LINE && bytes.last() != Some(&b'\n') {
            taken += self.skip()?;
            return Ok((Some(Err("the line is longer than 1 MiB")), taken));
        }
        while bytes.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
            bytes.pop();
        }
        if self.line == 1 && bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(..3);
        }
        Ok((Some(String::from_utf8(bytes).map_err(|_| "not valid UTF-8")), taken))
    }

    /// Passes over the rest of a line.
    fn skip(&mut self) -> io::Result<u64> {
        let (mut some, mut taken) = (Vec::new(), 0);
        loop {
            some.clear();
            taken += self.reader.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut some)? as u64;
            if some.is_empty() || some.last() == Some(&b'\n') {
                return Ok(taken);
            }
        }
    }
}
