//! Lines that name something which has not come yet, kept in a temporary file until the others are in.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _};

use super::lines::{Line, Place};

/// Lines that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    file: Option<BufWriter<File>>,
    count: u64,
}

impl Waiting {
    /// How many wait.
    pub(super) fn len(&self) -> u64 {
        self.count
    }

    /// Lets a line wait.
    pub(super) fn add(&mut self, place: &Place, text: &str) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        self.count += 1;
        // A line of JSON holds no raw line feed; a file's name might.
        writeln!(file, "{}\t{}\n{text}", place.line, place.file.replace('\n', " "))
    }

    /// All that wait, in their order.
    pub(super) fn into_lines(self) -> io::Result<impl Iterator<Item = io::Result<Line>>> {
        let file = match self.file {
            Some(file) => {
                let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.rewind()?;
                Some(file)
            }
            None => None,
        };
        let mut lines = file.map(BufReader::new).into_iter().flat_map(|file| file.lines());
        Ok(std::iter::from_fn(move || {
            let head = lines.next()?;
            let text = lines.next()?;
            Some(head.and_then(|head| {
                let (line, file) = head.split_once('\t').unwrap_or_default();
                let place = Place { file: file.into(), line: line.parse().unwrap_or_default() };
                Ok((place, Ok(text?)))
            }))
        }))
    }
}
