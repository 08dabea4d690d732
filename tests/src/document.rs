//! The API's document, as tests use it: every operation, and a request made from its examples.

use serde_json::{Map, Value};

/// One operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    /// In capitals, e.g. `GET`.
    pub method: String,
    /// With its parameters in braces.
    pub path: String,
    described: Value,
}

/// The whole document.
#[derive(Debug)]
pub struct Document {
    whole: Value,
    operations: Vec<Operation>,
}

impl Document {
    /// As the service publishes it.
    #[must_use]
    pub fn published() -> Self {
        let whole = serde_json::to_value(functions::api::document()).unwrap();
        let paths = whole["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, described)| Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                described: described.clone(),
            })
        });
        let operations = operations.collect();
        Self { whole, operations }
    }

    /// Every operation, by path and method.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// One operation.
    #[must_use]
    pub fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let mut operations = self.operations.iter();
        operations.find(|operation| operation.method == method && operation.path == path)
    }

    /// The example of an operation's body; none if it takes none.
    ///
    /// The media type's own example, or one put together from the examples of the schema's fields.
    #[must_use]
    pub fn example_body(&self, operation: &Operation) -> Option<Body> {
        let content = operation.described["requestBody"]["content"].as_object()?;
        let (media_type, described) = content.iter().next()?;
        let example = described.get("example").cloned();
        Some(Body {
            media_type: media_type.clone(),
            value: example.unwrap_or_else(|| self.example_of(&described["schema"])),
        })
    }

    fn example_of(&self, schema: &Value) -> Value {
        if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)) {
            return example.clone();
        }
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.trim_start_matches("#/components/schemas/");
            return self.example_of(&self.whole["components"]["schemas"][name]);
        }
        if let Some(prefix) = schema["pattern"].as_str().and_then(id_prefix) {
            return Value::String(format!("{prefix}_0190b2f06bd47c5a9a3e5b7f21d4c8aa"));
        }
        let required: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let fields = schema["properties"].as_object().into_iter().flatten();
        let fields: Map<String, Value> = fields
            .filter(|(name, _)| required.contains(&name.as_str()))
            .map(|(name, schema)| (name.clone(), self.example_of(schema)))
            .collect();
        Value::Object(fields)
    }
}

/// The pattern of an id says of which kind it is.
fn id_prefix(pattern: &str) -> Option<&str> {
    pattern.strip_prefix('^')?.strip_suffix("_[0-9a-f]{32}$")
}

/// An example of a body.
#[derive(Debug, Clone)]
pub struct Body {
    /// What it is written in.
    pub media_type: String,
    /// What it says.
    pub value: Value,
}

impl Operation {
    /// Whether it asks for this header.
    #[must_use]
    pub fn asks_for(&self, header: &str) -> bool {
        let parameters = self.described["parameters"].as_array();
        parameters
            .into_iter()
            .flatten()
            .any(|parameter| parameter["in"] == "header" && parameter["name"] == header)
    }
}
