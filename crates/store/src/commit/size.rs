//! How large an item becomes, as DynamoDB counts, so that one that is too large is refused with its name.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

/// How large an item is that a write puts, as DynamoDB counts; nothing for what it already holds.
pub(super) fn size_of(item: &TransactWriteItem) -> usize {
    let put = item.put.iter().flat_map(|put| &put.item);
    put.map(|(name, value)| name.len() + size_of_value(value))
        .sum()
}

/// Names and texts by their bytes in UTF-8, numbers at most 21, each list and map three and one for every element.
fn size_of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => (digits.len() / 2 + 2).min(21),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(values) => {
            let values = values.iter().map(|value| 1 + size_of_value(value));
            3 + values.sum::<usize>()
        }
        AttributeValue::M(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| 1 + name.len() + size_of_value(value));
            3 + fields.sum::<usize>()
        }
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.len() * 21,
        AttributeValue::Bs(values) => values.iter().map(|value| value.as_ref().len()).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_value_has_the_size_that_dynamodb_documents() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let list = AttributeValue::L(vec![text("ab"), AttributeValue::Bool(true)]);
        let map = AttributeValue::M(HashMap::from([("name".to_owned(), text("ü"))]));
        for (value, bytes) in [
            (text("ü"), 2),
            (AttributeValue::N("12345".to_owned()), 4),
            (AttributeValue::N("1".repeat(60)), 21),
            (AttributeValue::Null(true), 1),
            (list, 3 + 3 + 2),
            (map, 3 + 1 + 4 + 2),
        ] {
            assert_eq!(size_of_value(&value), bytes, "{value:?}");
        }
    }
}
