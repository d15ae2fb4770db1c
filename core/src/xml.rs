//! The little that is read of XML without a reader of it: the texts of AWS's errors. A whole XML reader would be the
//! largest part of the agent.

/// The text of the first element `<tag>…</tag>`, its entities replaced; `None` if it is not there. It may hold
/// anything, line breaks and control characters too: make it safe before it is shown.
pub fn element(xml: &str, tag: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{tag}>"))?;
    let (text, _) = rest.split_once(&format!("</{tag}>"))?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(text.to_string(), |text, (entity, c)| text.replace(entity, c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_replaced_once() {
        assert_eq!(element("<E><M>it&apos;s &lt;c&gt; &amp;lt;\n</M></E>", "M").unwrap(), "it's <c> &lt;\n");
    }

    #[test]
    fn an_element_that_is_not_there_or_not_closed_has_no_text() {
        for xml in ["", "<Code/>", "<Codes>x</Codes>", "<Code>x", "x</Code>"] {
            assert_eq!(element(xml, "Code"), None, "{xml}");
        }
    }
}
