//! Splits a command as the shell does.

use std::collections::VecDeque;

/// The program.
pub const PROGRAM: &str = "pulse-echo";

/// A word, and whether the shell fills something into it.
pub type Word = (String, bool);

/// The last part of a path.
pub fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// A part of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A word, and whether the shell fills something into it.
    Word { text: String, is_expanded: bool },
    /// `&&`, `||`, or `;` for all that ends a command.
    Operator(&'static str),
}

/// The words of a text, without quotes.
pub fn words(text: &str) -> Vec<String> {
    let word = |token| match token {
        Token::Word { text, .. } => Some(text),
        Token::Operator(_) => None,
    };
    tokens(text).into_iter().filter_map(word).collect()
}

/// Splits a command into words and operators. Redirections are left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut left: VecDeque<char> = text.chars().collect();
    let mut word: Option<(String, bool)> = None;
    let mut is_target = false;
    let end = |word: &mut Option<(String, bool)>, is_target: &mut bool, tokens: &mut Vec<Token>| {
        if let Some((text, is_expanded)) = word.take()
            && !std::mem::take(is_target)
        {
            tokens.push(Token::Word { text, is_expanded });
        }
    };
    while let Some(c) = left.pop_front() {
        let next = left.front().copied();
        match c {
            ' ' | '\t' => end(&mut word, &mut is_target, &mut tokens),
            '#' if word.is_none() => while left.front().is_some_and(|c| *c != '\n') && left.pop_front().is_some() {},
            '>' | '<' => {
                // `2>&1`: the number belongs to the redirection.
                if word.as_ref().is_some_and(|(text, _)| text.chars().all(|c| c.is_ascii_digit())) {
                    word = None;
                }
                end(&mut word, &mut is_target, &mut tokens);
                while left.front().is_some_and(|c| matches!(c, '>' | '<' | '&' | '|')) {
                    left.pop_front();
                }
                is_target = true;
            }
            '&' if next == Some('>') => end(&mut word, &mut is_target, &mut tokens),
            // A group in parentheses is read as one in braces.
            '(' if word.is_none() => tokens.push(Token::Word { text: "{".into(), is_expanded: false }),
            ')' => {
                end(&mut word, &mut is_target, &mut tokens);
                tokens.push(Token::Operator(";"));
                tokens.push(Token::Word { text: "}".into(), is_expanded: false });
            }
            '&' | '|' | ';' | '\n' => {
                end(&mut word, &mut is_target, &mut tokens);
                let is_twice = next == Some(c) && matches!(c, '&' | '|');
                if is_twice {
                    left.pop_front();
                }
                tokens.push(Token::Operator(match c {
                    '&' if is_twice => "&&",
                    '|' if is_twice => "||",
                    _ => ";",
                }));
            }
            '\\' => match left.pop_front() {
                Some('\n') | None => {}
                Some(escaped) => word.get_or_insert_default().0.push(escaped),
            },
            '\'' => {
                let text = &mut word.get_or_insert_default().0;
                while let Some(c) = left.pop_front().filter(|c| *c != '\'') {
                    text.push(c);
                }
            }
            '"' => {
                let (text, is_expanded) = word.get_or_insert_default();
                while let Some(c) = left.pop_front().filter(|c| *c != '"') {
                    *is_expanded |= matches!(c, '$' | '`');
                    match (c, left.front()) {
                        ('\\', Some('"' | '\\' | '$' | '`')) => text.extend(left.pop_front()),
                        _ => text.push(c),
                    }
                }
            }
            '$' if next == Some('(') => {
                let (text, is_expanded) = word.get_or_insert_default();
                *is_expanded = true;
                let mut depth = 0;
                while let Some(c) = left.pop_front() {
                    text.push(c);
                    depth += i32::from(c == '(') - i32::from(c == ')');
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => {
                let (text, is_expanded) = word.get_or_insert_default();
                *is_expanded |= matches!(c, '$' | '`' | '*' | '?');
                text.push(c);
            }
        }
    }
    end(&mut word, &mut is_target, &mut tokens);
    tokens
}
