//! The names of functions, read from single lines.

/// The name of the function that begins in `line`.
pub(crate) fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    loop {
        if let Some(named) = rest.strip_prefix("fn ") {
            return named.split(['(', '<']).next();
        }
        let (qualifier, after) = rest.split_once(' ')?;
        let is_qualifier = matches!(qualifier, "pub" | "const" | "async" | "unsafe" | "extern")
            || qualifier.starts_with("pub(")
            || qualifier.ends_with([')', '"']);
        if !is_qualifier {
            return None;
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_known_by_their_names() {
        assert_eq!(function_name("fn plain() {"), Some("plain"));
        assert_eq!(function_name("    pub(crate) const fn inner(self) -> u8 {"), Some("inner"));
        assert_eq!(function_name("pub unsafe extern \"C\" fn raw<T>("), Some("raw"));
        assert_eq!(function_name("    pub(in crate::a) async fn far() {"), Some("far"));
        assert_eq!(function_name("    let fn_like = 1;"), None);
        assert_eq!(function_name("/// fn in a comment() {"), None);
        assert_eq!(function_name("const RULE: fn(u8) = rule;"), None);
    }
}
