//! One file of a configuration, checked by itself: every key is known, every value one that its key can have.

use std::path::Path;

use super::error::{ConfigProblem, ValueSource};
use super::keys::{Known, SECTIONS, Section, TOP, USE_DEFAULT};
use super::nearest::{distance, nearest};
use super::path::refusal;
use super::tree::{Key, Node, Value, excerpt};

/// A file, or the environment, with what it states.
#[derive(Default)]
pub(super) struct Layer {
    pub(super) stated: Vec<Stated>,
    pub(super) paths: Vec<StatedPath>,
    pub(super) phases: Vec<(String, ValueSource)>,
    pub(super) use_default: Option<(bool, ValueSource)>,
    pub(super) problems: Vec<ConfigProblem>,
}

/// A key with its value.
pub(super) struct Stated {
    /// `None`: for every phase.
    pub(super) phase: Option<String>,
    pub(super) key: &'static dyn Known,
    pub(super) node: Node,
    pub(super) source: ValueSource,
}

/// A path of a phase.
pub(super) struct StatedPath {
    pub(super) phase: String,
    pub(super) text: String,
    pub(super) source: ValueSource,
}

impl Layer {
    /// Reads what stands in a file.
    pub(super) fn of_file(path: &Path, tree: &Node) -> Self {
        let mut reader = Reader { path, layer: Self::default() };
        reader.file(tree);
        reader.layer
    }

    /// Adds a key with its value, or what is wrong with it.
    pub(super) fn state(
        &mut self,
        phase: Option<&str>,
        key: &'static dyn Known,
        node: Node,
        at: impl Fn(u64) -> ValueSource,
    ) {
        match key.check(&node) {
            Ok(()) => {
                let source = at(node.line);
                self.stated.push(Stated { phase: phase.map(str::to_owned), key, node, source });
            }
            Err(fault) => {
                let message = format!("`{}`{}", key.about().dotted(), lower(&fault.message));
                self.problems.push(ConfigProblem { source: at(fault.line), message });
            }
        }
    }

    /// Adds the path of a phase, or what is wrong with it.
    pub(super) fn state_path(&mut self, phase: &str, node: &Node, source: ValueSource) {
        let refused = match &node.value {
            Value::Text(text) => match refusal(text) {
                None => {
                    self.paths.push(StatedPath { phase: phase.to_owned(), text: text.clone(), source });
                    return;
                }
                Some(why) => why,
            },
            _ => format!("must be the path of a directory, not {}", node.kind()),
        };
        self.problems.push(ConfigProblem { source, message: format!("`paths.{phase}`: {refused}") });
    }
}

/// What to say of a key that is not known where it stands.
pub(super) fn unknown(name: &str, place: &str, known: &[&str]) -> String {
    let place = if place.is_empty() { String::new() } else { format!(" in {place}") };
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("unknown key {}{place}: did you mean `{nearest}`?", excerpt(name)),
        None => format!("unknown key {}{place}: there are {}", excerpt(name), known.join(", ")),
    }
}

/// The names that may stand in a phase.
pub(super) fn names_in_phase() -> Vec<&'static str> {
    let keys = Section::Phase.keys().map(|key| key.about().name);
    keys.chain(Section::NAMED.map(Section::name)).collect()
}

/// The names that may stand in `checkpointing`, but for phases.
pub(super) fn names_in_top() -> Vec<&'static str> {
    let keys = Section::Phase.keys().map(|key| key.about().name);
    keys.chain(SECTIONS).chain([USE_DEFAULT]).collect()
}

/// Why a phase may not be called so, if it may not.
pub(super) fn phase_refusal(name: &str) -> Option<String> {
    if let Err(error) = name.parse::<ckpt_format::RunName>() {
        return Some(format!(
            "a phase can't be called so: {}",
            error.to_string().replace("run name", "phase")
        ));
    }
    if name.contains("__") {
        return Some(format!(
            "the phase {name:?} has `__` in its name, which separates the parts of an environment variable"
        ));
    }
    let close = SECTIONS.into_iter().find(|section| distance(&name.replace('-', "_"), section) <= 2);
    close.map(|section| {
        format!("unknown section {name:?}: did you mean `{section}`? (a phase needs a name further from a section's)")
    })
}

/// A message as it stands behind the key's name.
fn lower(message: &str) -> String {
    let separator = if message.starts_with("must ") { " " } else { ": " };
    format!("{separator}{message}")
}

struct Reader<'a> {
    path: &'a Path,
    layer: Layer,
}

impl<'a> Reader<'a> {
    fn file(&mut self, tree: &'a Node) {
        for (key, node) in self.entries(tree, "the file") {
            match key.text.as_str() {
                TOP => self.top(node),
                other => self.problem(key.line, unknown(other, "", &[TOP])),
            }
        }
    }

    fn top(&mut self, node: &'a Node) {
        for (key, node) in self.entries(node, &format!("`{TOP}`")) {
            match key.text.as_str() {
                USE_DEFAULT => match node.value {
                    Value::Flag(flag) => self.layer.use_default = Some((flag, self.at(node.line))),
                    _ => self.problem(
                        node.line,
                        format!("`{USE_DEFAULT}` must be true or false, not {}", node.kind()),
                    ),
                },
                "paths" => self.paths(node),
                name => match (Section::named(name), Section::Phase.key(name)) {
                    (Some(section), _) => self.section(section, None, node),
                    (None, Some(known)) => self.state(None, known, node),
                    (None, None) => self.phase(key, node),
                },
            }
        }
    }

    fn phase(&mut self, key: &Key, node: &'a Node) {
        let name = key.text.as_str();
        if !matches!(node.value, Value::Map(_) | Value::Null) {
            let message = match nearest(name, names_in_top()) {
                Some(_) => unknown(name, TOP, &names_in_top()),
                None => {
                    format!("unknown key {}: a phase must be a mapping, not {}", excerpt(name), node.kind())
                }
            };
            return self.problem(key.line, message);
        }
        if let Some(why) = phase_refusal(name) {
            return self.problem(key.line, why);
        }
        self.layer.phases.push((name.to_owned(), self.at(key.line)));
        for (key, node) in self.entries(node, &format!("phase {name:?}")) {
            match (Section::named(&key.text), Section::Phase.key(&key.text)) {
                (Some(section), _) => self.section(section, Some(name), node),
                (None, Some(known)) => self.state(Some(name), known, node),
                (None, None) => {
                    let home = Section::NAMED.into_iter().find(|section| section.key(&key.text).is_some());
                    let message = match home {
                        Some(section) => format!(
                            "unknown key {} in phase {name:?}: it belongs into `{}`, which may stand in a phase",
                            excerpt(&key.text),
                            section.name()
                        ),
                        None => unknown(&key.text, &format!("phase {name:?}"), &names_in_phase()),
                    };
                    self.problem(key.line, message);
                }
            }
        }
    }

    fn section(&mut self, section: Section, phase: Option<&str>, node: &'a Node) {
        for (key, node) in self.entries(node, &format!("`{}`", section.name())) {
            match section.key(&key.text) {
                Some(known) => self.state(phase, known, node),
                None => {
                    let names: Vec<&str> = section.keys().map(|key| key.about().name).collect();
                    self.problem(key.line, unknown(&key.text, &format!("`{}`", section.name()), &names));
                }
            }
        }
    }

    fn paths(&mut self, node: &'a Node) {
        for (key, node) in self.entries(node, "`paths`") {
            let source = self.at(node.line);
            self.layer.state_path(&key.text, node, source);
        }
    }

    fn state(&mut self, phase: Option<&str>, key: &'static dyn Known, node: &Node) {
        let path = self.path;
        self.layer.state(phase, key, node.clone(), |line| file(path, line));
    }

    /// The entries of a mapping, each key once; nothing counts as an empty one.
    fn entries(&mut self, node: &'a Node, what: &str) -> Vec<&'a (Key, Node)> {
        match &node.value {
            Value::Null => Vec::new(),
            Value::Map(entries) => {
                self.refuse_doubles(entries);
                let first = |index: usize, key: &Key| {
                    entries.iter().take(index).all(|(other, _)| other.text != key.text)
                };
                entries
                    .iter()
                    .enumerate()
                    .filter(|(index, (key, _))| first(*index, key))
                    .map(|(_, entry)| entry)
                    .collect()
            }
            _ => {
                self.problem(node.line, format!("{what} must be a mapping, not {}", node.kind()));
                Vec::new()
            }
        }
    }

    fn refuse_doubles(&mut self, entries: &[(Key, Node)]) {
        for (index, (key, _)) in entries.iter().enumerate() {
            if let Some((first, _)) = entries.iter().take(index).find(|(first, _)| first.text == key.text) {
                let message =
                    format!("{} stands on line {} already: keep one of them", excerpt(&key.text), first.line);
                self.problem(key.line, message);
            }
        }
    }

    fn problem(&mut self, line: u64, message: String) {
        let source = self.at(line);
        self.layer.problems.push(ConfigProblem { source, message });
    }

    fn at(&self, line: u64) -> ValueSource {
        file(self.path, line)
    }
}

fn file(path: &Path, line: u64) -> ValueSource {
    ValueSource::File { path: path.to_owned(), line }
}
