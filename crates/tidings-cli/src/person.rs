//! What the command line says of a user.

use std::time::Duration;

use serde_json::Value;
use tidings_core::security::Claims;
use tidings_server::config::parse_duration;

/// Reads `teams=red,blue`: a text, or with commas a list of texts.
pub(crate) fn claim(text: &str) -> Result<(String, Value), String> {
    let wrong = "write NAME=VALUE, or NAME=ONE,TWO for a list";
    let (name, value) = text.split_once('=').ok_or(wrong)?;
    if name.is_empty() {
        return Err(wrong.to_owned());
    }
    let value = match value.contains(',') {
        true => value.split(',').filter(|one| !one.is_empty()).collect(),
        false => Value::from(value),
    };
    Ok((name.to_owned(), value))
}

/// The claims as a token holds them; of two with the same name the later one.
pub(crate) fn claims(given: &[(String, Value)]) -> Claims {
    given.iter().cloned().collect()
}

/// Reads how long a token is valid.
pub(crate) fn lifetime(text: &str) -> Result<Duration, String> {
    let is_long_enough = |time: &Duration| *time >= Duration::from_secs(1);
    let lifetime = parse_duration(text).filter(is_long_enough);
    lifetime.ok_or_else(|| "write a time of at least 1s, such as 30s, 15m or 8h".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_a_text_or_a_list() {
        let read = |text| claim(text).expect(text);
        assert_eq!(read("team=red"), ("team".to_owned(), json!("red")));
        assert_eq!(read("team="), ("team".to_owned(), json!("")));
        assert_eq!(read("a=b=c"), ("a".to_owned(), json!("b=c")));
        let list = json!(["red", "blue"]);
        assert_eq!(read("teams=red,blue"), ("teams".to_owned(), list));
        assert_eq!(read("teams=red,"), ("teams".to_owned(), json!(["red"])));
        assert!(claim("team").is_err() && claim("=red").is_err());
    }

    #[test]
    fn a_lifetime_is_at_least_a_second() {
        assert_eq!(lifetime("15m"), Ok(Duration::from_mins(15)));
        for wrong in ["", "0", "999ms", "1 h", "soon"] {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }
}
