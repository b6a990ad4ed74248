//! What the server says that it answers, held against what it answers.

use anyhow::{Context, Result, bail, ensure};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// The server's own description of its interface.
pub struct Description(Value);

impl Description {
    /// As the server serves it.
    ///
    /// # Errors
    /// If it is none.
    pub fn new(document: Value) -> Result<Self> {
        let version = document["openapi"].as_str().unwrap_or_default();
        ensure!(version.starts_with("3.1"), "OpenAPI {version}");
        Ok(Self(document))
    }

    /// Every address and method in it.
    pub fn operations(&self) -> Vec<(String, Method)> {
        let paths = self.0["paths"].as_object();
        let each = paths.into_iter().flatten().flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.filter_map(|(method, _)| {
                let method = method.to_uppercase().parse().ok()?;
                Some((path.clone(), method))
            })
        });
        each.collect()
    }

    /// Whether an answer is one of those that are described.
    ///
    /// # Errors
    /// Says what is not as it is described.
    pub fn check(
        &self,
        method: &Method,
        path: &str,
        status: StatusCode,
        media_type: Option<&str>,
        body: &[u8],
    ) -> Result<()> {
        let path = path.split('?').next().unwrap_or(path);
        let schema = match self.operation(method, path) {
            Some(operation) => {
                let answer = &operation["responses"][status.as_str()];
                ensure!(
                    answer.is_object(),
                    "{method} {path} answers {status}, which is not described"
                );
                match &answer["content"]["application/json"]["schema"] {
                    Value::Null => {
                        ensure!(body.is_empty(), "{method} {path} {status}: a body");
                        return Ok(());
                    }
                    schema => schema.clone(),
                }
            }
            None => {
                let known = [404, 405, 414].contains(&status.as_u16());
                ensure!(
                    known,
                    "{method} {path} answers {status} and is not described"
                );
                json!({"$ref": "#/components/schemas/ErrorBody"})
            }
        };
        ensure!(
            media_type == Some("application/json"),
            "{method} {path} {status}: {media_type:?}"
        );
        self.fits(schema, body)
            .with_context(|| format!("{method} {path} {status}"))
    }

    fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let paths = self.0["paths"].as_object()?;
        let (_, methods) = paths.iter().find(|(template, _)| is_of(template, path))?;
        methods.get(method.as_str().to_lowercase())
    }

    fn fits(&self, mut schema: Value, body: &[u8]) -> Result<()> {
        schema["components"] = self.0["components"].clone();
        let validator = jsonschema::draft202012::new(&schema)?;
        let body: Value = serde_json::from_slice(body)?;
        let wrong: Vec<String> = validator
            .iter_errors(&body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if !wrong.is_empty() {
            bail!("{wrong:#?}");
        }
        Ok(())
    }
}

/// Whether an address is one of those that a template stands for.
fn is_of(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template
            .zip(path)
            .all(|(wanted, part)| wanted == part || (wanted.starts_with('{') && !part.is_empty()))
}
