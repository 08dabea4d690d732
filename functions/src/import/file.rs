//! Reading a file: comma-separated values as spreadsheets write them.

use csv::{ByteRecord, ReaderBuilder};
use domain::import::{ImportColumn, ImportKind, MAX_ROWS, Row, RowFault, repeated};

use crate::problem::Problem;

/// A row's number, and what stands in it or why it is none.
type NumberedRow = (u32, Result<Row, Vec<RowFault>>);

/// The rows of a file, with the numbers that a spreadsheet gives them: the header is row 1, and blank
/// rows, which are left out, count.
///
/// # Errors
/// 400 for what is not UTF-8; 422 for a header that is not right, and for no rows or too many.
pub(super) fn read(kind: ImportKind, file: &[u8]) -> Result<Vec<NumberedRow>, Problem> {
    let text = plain(file);
    let mut records = Records::of(&text);
    let (_, names) = records.next().transpose()?.unwrap_or_default();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let columns = kind.header(&names)?;
    let mut rows: Vec<NumberedRow> = Vec::new();
    for record in records {
        let (number, cells) = record?;
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if rows.len() == MAX_ROWS {
            let detail = format!("are more than {MAX_ROWS}; send them in several files");
            return Err(Problem::invalid_field("/rows", detail));
        }
        rows.push((number, row(&columns, &cells)));
    }
    if rows.is_empty() {
        return Err(Problem::invalid_field(
            "/rows",
            "are needed: there is none below the header",
        ));
    }
    Ok(without_repetitions(rows))
}

fn row(columns: &[ImportColumn], cells: &[String]) -> Result<Row, Vec<RowFault>> {
    if columns.len() == cells.len() {
        let cells = cells.iter().map(String::as_str);
        return Ok(Row::of(columns.iter().copied().zip(cells)));
    }
    let (has, needs) = (cells.len(), columns.len());
    let detail = format!(
        "has {has} cells where the header has {needs}; perhaps a comma stands in a cell without quotation marks, or a closing one is missing"
    );
    Err(vec![RowFault::whole(detail)])
}

fn without_repetitions(mut rows: Vec<NumberedRow>) -> Vec<NumberedRow> {
    let right = rows
        .iter()
        .filter_map(|(number, row)| Some((*number, row.as_ref().ok()?)));
    let repeated = repeated(right);
    for (number, row) in &mut rows {
        if let Some(other) = repeated.get(number) {
            let detail = format!("stands in row {other} too");
            *row = Err(vec![RowFault::of(ImportColumn::Reference, detail)]);
        }
    }
    rows
}

/// The file without a byte order mark, and with one kind of line ending.
fn plain(file: &[u8]) -> Vec<u8> {
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    let next = file.iter().skip(1).map(Some).chain([None]);
    let pairs = file.iter().zip(next);
    let kept = pairs.filter(|pair| !matches!(pair, (b'\r', Some(b'\n'))));
    kept.map(|(byte, _)| if *byte == b'\r' { b'\n' } else { *byte })
        .collect()
}

/// The records of a file with one kind of line ending, blank lines left out but counted.
struct Records<'a> {
    text: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    number: u32,
}

impl<'a> Records<'a> {
    fn of(text: &'a [u8]) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        Self {
            text,
            reader,
            number: 0,
        }
    }

    fn offset(&self) -> usize {
        usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX)
    }

    /// Counts the record, and the blank lines that the reader passed over before it.
    fn count_from(&mut self, begin: usize) -> u32 {
        let passed = self.text.get(begin..).unwrap_or_default();
        let blank = passed.iter().take_while(|byte| **byte == b'\n').count();
        let lines = u32::try_from(blank).unwrap_or(u32::MAX).saturating_add(1);
        self.number = self.number.saturating_add(lines);
        self.number
    }
}

impl Iterator for Records<'_> {
    type Item = Result<(u32, Vec<String>), Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let begin = self.offset();
        let mut record = ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return None,
            // Bytes in memory can always be read, and every record may be as long as it likes.
            Err(error) => return Some(Err(Problem::malformed(format!("not CSV: {error}")))),
        }
        let number = self.count_from(begin);
        let cells = record.iter().map(|cell| String::from_utf8(cell.to_vec()));
        let cells: Result<Vec<String>, _> = cells.collect();
        Some(cells.map(|cells| (number, cells)).map_err(|_| {
            Problem::malformed(format!(
                "row {number} is not UTF-8; save the file as CSV in UTF-8"
            ))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ImportColumn::{Email, GivenName};

    const HEADER: &str = "reference,given_name,family_name,email,phone";

    /// The given name in each row, by its number, and `?` where there is a fault.
    fn given_names(file: &[u8]) -> Vec<(u32, String)> {
        let rows = read(ImportKind::SupportWorkers, file).unwrap();
        let name = |row: Result<Row, _>| {
            row.map_or("?".to_owned(), |row| {
                row.cell(GivenName).unwrap_or_default().to_owned()
            })
        };
        rows.into_iter()
            .map(|(number, row)| (number, name(row)))
            .collect()
    }

    fn named(rows: &[(u32, &str)]) -> Vec<(u32, String)> {
        rows.iter()
            .map(|(number, name)| (*number, (*name).to_owned()))
            .collect()
    }

    #[test]
    fn rows_are_numbered_as_a_spreadsheet_numbers_them() {
        let rows = [
            HEADER,
            "1,Ann,A,a@example.org,",
            "",
            "2,\"Bea\nBeate\",B,b@example.org,",
            ",, ,,",
            "",
            "",
            "3,\"C, \"\"Cat\"\"\",C,c@example.org,",
            "4,Dee,D,d@example.org",
            "5,Eve,E,e@example.org,",
            "",
        ];
        let expected = named(&[
            (2, "Ann"),
            (4, "Bea\nBeate"),
            (8, "C, \"Cat\""),
            (9, "?"),
            (10, "Eve"),
        ]);
        for ending in ["\n", "\r\n", "\r"] {
            let file = rows.map(|row| row.replace('\n', ending)).join(ending);
            assert_eq!(given_names(file.as_bytes()), expected, "{ending:?}");
            let marked = format!("\u{feff}{file}");
            assert_eq!(given_names(marked.as_bytes()), expected, "{ending:?}");
        }
    }

    #[test]
    fn columns_come_in_any_order() {
        let file = "email,phone,family_name,reference,given_name\na@example.org,,A,1,Ann";
        let rows = read(ImportKind::SupportWorkers, file.as_bytes()).unwrap();
        let row = rows[0].1.as_ref().unwrap();
        assert_eq!(
            (row.cell(GivenName), row.cell(Email)),
            (Some("Ann"), Some("a@example.org"))
        );
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_a_fault_of_its_row() {
        let file = format!(
            "{HEADER}\n1,Ann,A,a@example.org,\n2,\"Bea,B,b@example.org,\n3,Cat,C,c@example.org,\n"
        );
        assert_eq!(given_names(file.as_bytes()), named(&[(2, "Ann"), (3, "?")]));
    }

    #[test]
    fn a_reference_that_stands_twice_is_a_fault_of_both_rows() {
        let file = format!(
            "{HEADER}\n1,Ann,A,a@example.org,\n2,Bea,B,b@example.org,\n1,Cat,C,c@example.org,\n"
        );
        assert_eq!(
            given_names(file.as_bytes()),
            named(&[(2, "?"), (3, "Bea"), (4, "?")])
        );
    }

    #[test]
    fn what_is_no_such_file_is_refused_with_words_that_help() {
        let refused = |file: &[u8]| {
            let problem = read(ImportKind::SupportWorkers, file).unwrap_err();
            let pointers = problem.errors().iter().map(|error| error.pointer.clone());
            (problem.status().as_u16(), pointers.collect::<Vec<_>>())
        };
        let missing = ["reference", "given_name", "family_name", "email", "phone"];
        let missing = missing.map(|column| format!("/columns/{column}")).to_vec();
        assert_eq!(refused(b""), (422, missing.clone()));
        assert_eq!(refused(b"\n\n"), (422, missing));
        let (status, pointers) = refused(b"reference;given_name;family_name\n1;Ann;A");
        assert_eq!((status, pointers.len()), (422, 6));
        for nobody in ["", "\n", "\n,,,,\n\n"] {
            let file = format!("{HEADER}{nobody}");
            assert_eq!(
                refused(file.as_bytes()),
                (422, vec!["/rows".to_owned()]),
                "{nobody:?}"
            );
        }
        let row = "\n1,Ann,A,a@example.org,";
        let many = format!("{HEADER}{}", row.repeat(MAX_ROWS + 1));
        assert_eq!(refused(many.as_bytes()), (422, vec!["/rows".to_owned()]));
        let most = format!("{HEADER}{}", row.repeat(MAX_ROWS));
        assert_eq!(given_names(most.as_bytes()).len(), MAX_ROWS);
    }

    #[test]
    fn the_row_that_is_not_utf_8_is_named() {
        let file = [
            HEADER.as_bytes(),
            b"\n1,Ann,A,a@example.org,\n\n2,Zo\xeb,B,b@example.org,\n",
        ]
        .concat();
        let problem = read(ImportKind::SupportWorkers, &file).unwrap_err();
        assert_eq!(problem.status().as_u16(), 400);
        assert!(format!("{problem:?}").contains("row 4 is not UTF-8"));
    }
}
