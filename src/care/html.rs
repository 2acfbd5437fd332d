//! Markup that cannot be broken out of: names of elements and attributes are constants of this program, and every value is
//! escaped on its way in. There is no way to put in a text as markup.

use axum::response::Html as Response;

/// Finished markup.
#[derive(Clone, Debug, Default)]
pub(super) struct Html(String);

/// An element that is being put together.
#[derive(Clone, Debug)]
pub(super) struct El {
    name: &'static str,
    attributes: String,
    body: String,
}

/// Elements that have no end (HTML, 13.1.2).
const VOID: [&str; 6] = ["br", "hr", "img", "input", "link", "meta"];

pub(super) const fn el(name: &'static str) -> El {
    El { name, attributes: String::new(), body: String::new() }
}

impl El {
    pub(super) fn attr(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.push(' ');
        self.attributes.push_str(name);
        self.attributes.push_str("=\"");
        escape(&mut self.attributes, value);
        self.attributes.push('"');
        self
    }

    pub(super) fn class(self, value: &'static str) -> Self {
        self.attr("class", value)
    }

    /// An attribute without a value, where `set`.
    pub(super) fn flag(mut self, name: &'static str, set: bool) -> Self {
        if set {
            self.attributes.push(' ');
            self.attributes.push_str(name);
        }
        self
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        escape(&mut self.body, text);
        self
    }

    pub(super) fn add(mut self, child: impl Into<Html>) -> Self {
        self.body.push_str(&child.into().0);
        self
    }

    pub(super) fn all<T: Into<Html>>(self, children: impl IntoIterator<Item = T>) -> Self {
        children.into_iter().fold(self, Self::add)
    }
}

impl From<El> for Html {
    fn from(El { name, attributes, body }: El) -> Self {
        if VOID.contains(&name) {
            return Self(format!("<{name}{attributes}>"));
        }
        Self(format!("<{name}{attributes}>{body}</{name}>"))
    }
}

impl Html {
    pub(super) fn text(text: &str) -> Self {
        let mut html = String::new();
        escape(&mut html, text);
        Self(html)
    }

    /// A whole document.
    pub(super) fn document(self) -> Response<String> {
        Response(format!("<!doctype html>\n{}\n", self.0))
    }
}

impl<T: Into<Self>> FromIterator<T> for Html {
    fn from_iter<I: IntoIterator<Item = T>>(children: I) -> Self {
        Self(children.into_iter().map(|child| child.into().0).collect())
    }
}

impl<T: Into<Self>> From<Option<T>> for Html {
    fn from(child: Option<T>) -> Self {
        child.map_or_else(Self::default, Into::into)
    }
}

/// Characters that mean something in a text or in a quoted value. What a terminal would obey is shown as a mark.
fn escape(into: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            '\n' | '\t' => into.push(c),
            c if c.is_control() => into.push('\u{fffd}'),
            c => into.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_and_no_value_becomes_markup() {
        let hostile = "\"><script>alert('&')</script>\0";
        let html: Html = el("a").attr("title", hostile).text(hostile).into();
        let escaped = "&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;\u{fffd}";
        assert_eq!(html.0, format!("<a title=\"{escaped}\">{escaped}</a>"));
    }

    #[test]
    fn elements_nest_and_void_ones_have_no_end() {
        let list = el("ul").all([el("li").text("a"), el("li").add(el("br"))]);
        assert_eq!(Html::from(list).0, "<ul><li>a</li><li><br></li></ul>");
        assert_eq!(Html::from(el("input").flag("required", true).flag("disabled", false)).0, "<input required>");
    }
}
