//! The configuration: files in YAML or TOML, files that override them, environment variables; checked as a whole.
//!
//! The keys and their rules: `docs/CONFIGURATION.md`.

mod environment;
mod error;
mod keys;
mod layer;
mod nearest;
mod path;
mod phase;
mod read;
mod resolve;
mod schema;
mod session;
mod toml;
mod tree;
mod yaml;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

pub use error::{ConfigError, ConfigProblem, ValueSource};
pub use path::PathTemplate;
pub use phase::{PhaseConfig, Setting};

use keys::USE_DEFAULT;
use layer::Layer;
use nearest::nearest;
use tree::Fault;

/// A configuration is written by people; more than this is something else.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// What a file with `use_default_config: true` looks for beside itself.
const DEFAULT_FILES: [&str; 3] =
    ["checkpoint_config.yaml", "checkpoint_config.yml", "checkpoint_config.toml"];

/// A checked configuration: what holds for each of its phases.
///
/// ```
/// use ckpt::{ConfigFormat, ConfigLayers};
///
/// let main = "
/// checkpointing:
///   phase1:
///     base_interval: 25000
///     max_interval_multiplier: 5
///     target_timesteps: 2000000
///   retention: {keep_last_n: 8, keep_top_k: {sharpe_ratio: 3}}
///   paths: {phase1: './models/phase1/{market}/checkpoints/'}
/// ";
/// let config = ConfigLayers::new()
///     .text("checkpoint_config.yaml", ConfigFormat::Yaml, main)
///     .environment([("CKPT_CONFIG__RETENTION__KEEP_LAST_N", "4")])
///     .load()?;
/// let phase = config.phase("phase1")?;
/// assert_eq!(phase.retention.keep_last, 4);
/// assert_eq!(phase.setting("base_interval").unwrap().to_string(), "base_interval = 25000 (checkpoint_config.yaml:4)");
///
/// let directory = phase.path.as_ref().unwrap().expand(Some("NQ"))?;
/// assert_eq!(directory.to_str(), Some("./models/phase1/NQ/checkpoints/"));
/// assert!(phase.path.as_ref().unwrap().expand(Some("../NQ")).is_err());
/// # Ok::<(), ckpt::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    phases: Vec<PhaseConfig>,
    general: PhaseConfig,
    files: Vec<PathBuf>,
}

impl Config {
    /// Reads one file; if it says `use_default_config: true`, also the default file beside it.
    ///
    /// # Errors
    /// [`ConfigError::Read`] if a file can't be read; [`ConfigError::Invalid`] with everything that is wrong.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        ConfigLayers::new().file(path).load()
    }

    /// Reads a main file and one whose statements hold over it.
    ///
    /// # Errors
    /// As [`from_file`](Self::from_file).
    pub fn load(main: impl Into<PathBuf>, overrides: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        ConfigLayers::new().file(main).file(overrides).load()
    }

    /// What holds for this phase.
    ///
    /// # Errors
    /// [`ConfigError::UnknownPhase`] with those that there are.
    pub fn phase(&self, name: &str) -> Result<&PhaseConfig, ConfigError> {
        let found = self.phases.iter().find(|phase| phase.phase.as_deref() == Some(name));
        found.ok_or_else(|| ConfigError::UnknownPhase {
            phase: name.to_owned(),
            nearest: nearest(name, self.phases()).map(str::to_owned),
            known: self.phases().map(str::to_owned).collect(),
        })
    }

    /// The names of the phases, in the order of the files.
    pub fn phases(&self) -> impl Iterator<Item = &str> {
        self.phases.iter().filter_map(|phase| phase.phase.as_deref())
    }

    /// What holds where no phase is meant: only what is stated for all of them. It may have no trigger and has no path.
    pub fn general(&self) -> &PhaseConfig {
        &self.general
    }

    /// The files that were read, the main one first.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConfigFormat {
    /// YAML 1.2.
    Yaml,
    /// TOML 1.1.
    Toml,
}

/// What a configuration is read from: the main file, then those that override it, and the environment over all.
#[derive(Debug, Clone, Default)]
pub struct ConfigLayers {
    given: Vec<Given>,
    environment: BTreeMap<String, OsString>,
}

#[derive(Debug, Clone)]
enum Given {
    File(PathBuf),
    Text { name: PathBuf, format: ConfigFormat, text: String },
}

impl ConfigLayers {
    /// Without any: the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file; it overrides those before it. The format is what the name ends with: `.yaml`, `.yml` or `.toml`.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.given.push(Given::File(path.into()));
        self
    }

    /// A text in place of a file; `name` is for messages.
    #[must_use]
    pub fn text(mut self, name: impl Into<PathBuf>, format: ConfigFormat, text: impl Into<String>) -> Self {
        self.given.push(Given::Text { name: name.into(), format, text: text.into() });
        self
    }

    /// Environment variables, as from [`std::env::vars_os`]: those that begin with `CKPT_CONFIG__` override every file.
    #[must_use]
    pub fn environment<N, V>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        for (name, value) in variables {
            let name = name.into().to_string_lossy().into_owned();
            if name.starts_with(environment::PREFIX) {
                self.environment.insert(name, value.into());
            }
        }
        self
    }

    /// Reads and checks all of it.
    ///
    /// # Errors
    /// [`ConfigError::Read`] if a file can't be read; [`ConfigError::Invalid`] with everything that is wrong.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let mut given = self.given.clone();
        let mut layers = given.iter().map(Given::read).collect::<Result<Vec<Layer>, _>>()?;
        if let Some(default) = self.default_file(&layers)? {
            let default = Given::File(default);
            layers.insert(0, default.read()?);
            given.insert(0, default);
        }
        let mut problems = misplaced_use_default(&layers);
        let mut names: Vec<String> = Vec::new();
        for (name, _) in layers.iter().flat_map(|layer| &layer.phases) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        layers.push(environment::layer(&self.environment, &names));
        problems.extend(layers.iter_mut().flat_map(|layer| layer.problems.drain(..)));
        problems.extend(layers.iter().flat_map(|layer| strange_paths(layer, &names)));
        let (general, wrong) = resolve::resolve(&layers, None);
        // What contradicts itself is looked for in values that are right, each by itself.
        if problems.is_empty() {
            problems = wrong;
        } else {
            return Err(ConfigError::Invalid(problems));
        }
        let mut phases = Vec::new();
        for name in &names {
            let (phase, wrong) = resolve::resolve(&layers, Some(name));
            phases.push(phase);
            let new: Vec<ConfigProblem> =
                wrong.into_iter().filter(|problem| !problems.contains(problem)).collect();
            problems.extend(new);
        }
        if !problems.is_empty() {
            return Err(ConfigError::Invalid(problems));
        }
        Ok(Config { phases, general, files: given.iter().map(|given| given.name().to_owned()).collect() })
    }

    /// The default file that the first one asks for.
    fn default_file(&self, layers: &[Layer]) -> Result<Option<PathBuf>, ConfigError> {
        let first = layers.first().and_then(|layer| layer.use_default.as_ref()).zip(self.given.first());
        let Some(((true, source), given)) = first else { return Ok(None) };
        let refused = |message: String| {
            Err(ConfigError::Invalid(vec![ConfigProblem {
                source: source.clone(),
                message: format!("`{USE_DEFAULT}`: {message}"),
            }]))
        };
        let Given::File(path) = given else {
            return refused(
                "a text has no directory to look in: give the default configuration before it".to_owned(),
            );
        };
        if path.file_name().is_some_and(|name| DEFAULT_FILES.iter().any(|default| name == *default)) {
            return refused("this file is the default configuration: take the line out".to_owned());
        }
        let directory = path.parent().unwrap_or(Path::new(""));
        let beside: Vec<PathBuf> =
            DEFAULT_FILES.iter().map(|name| directory.join(name)).filter(|path| path.exists()).collect();
        match beside.as_slice() {
            [one] => Ok(Some(one.clone())),
            [] => refused(format!(
                "there is no {} beside it: give the default configuration before it",
                DEFAULT_FILES.join(", ")
            )),
            several => {
                let names: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
                refused(format!(
                    "{} are there: which one is meant? give it before this file",
                    names.join(" and ")
                ))
            }
        }
    }
}

impl Given {
    fn name(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Text { name, .. } => name,
        }
    }

    fn read(&self) -> Result<Layer, ConfigError> {
        match self {
            Self::Text { name, format, text } => Ok(parse(name, *format, text)),
            Self::File(path) => {
                let problem = |line, message: String| {
                    let source = ValueSource::File { path: path.clone(), line };
                    ConfigError::Invalid(vec![ConfigProblem { source, message }])
                };
                let Some(format) = format(path) else {
                    return Err(problem(
                        1,
                        "the name ends neither with .yaml or .yml nor with .toml".to_owned(),
                    ));
                };
                let bytes = bytes(path).map_err(|source| ConfigError::Read { path: path.clone(), source })?;
                if bytes.len() as u64 > FILE_BYTES_MAX {
                    return Err(problem(
                        1,
                        format!("the file has more than {FILE_BYTES_MAX} bytes: is it a configuration?"),
                    ));
                }
                let text = String::from_utf8(bytes).map_err(|error| {
                    let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
                    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count() as u64;
                    problem(line, "the file is not UTF-8 text".to_owned())
                })?;
                Ok(parse(path, format, &text))
            }
        }
    }
}

fn format(path: &Path) -> Option<ConfigFormat> {
    match path.extension()?.to_str()? {
        "yaml" | "yml" => Some(ConfigFormat::Yaml),
        "toml" => Some(ConfigFormat::Toml),
        _ => None,
    }
}

/// At most one byte more than a configuration may have.
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(path: &Path, format: ConfigFormat, text: &str) -> Layer {
    let tree = match format {
        ConfigFormat::Yaml => yaml::parse(text).map_err(|fault| vec![fault]),
        ConfigFormat::Toml => toml::parse(text),
    };
    match tree {
        Ok(tree) => Layer::of_file(path, &tree),
        Err(faults) => {
            let problem = |fault: Fault| ConfigProblem {
                source: ValueSource::File { path: path.to_owned(), line: fault.line },
                message: fault.message,
            };
            Layer { problems: faults.into_iter().map(problem).collect(), ..Layer::default() }
        }
    }
}

/// Files that say of themselves what their place does not bear out.
fn misplaced_use_default(layers: &[Layer]) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let message = match &layer.use_default {
            Some((true, _)) if index == 0 => "there is nothing before this file that it could override",
            Some((false, _)) if index > 0 => {
                "this file says that it stands alone, but it was given behind another one"
            }
            _ => continue,
        };
        if let Some((_, source)) = &layer.use_default {
            let message = format!("`{USE_DEFAULT}`: {message}");
            problems.push(ConfigProblem { source: source.clone(), message });
        }
    }
    problems
}

/// Paths of phases that no file has.
fn strange_paths(layer: &Layer, phases: &[String]) -> Vec<ConfigProblem> {
    let strange = layer.paths.iter().filter(|path| !phases.contains(&path.phase));
    let problem = |path: &layer::StatedPath| {
        let near = nearest(&path.phase, phases.iter().map(String::as_str));
        let near = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
        let message = format!("`paths` names {:?}, which is no phase{near}", path.phase);
        ConfigProblem { source: path.source.clone(), message }
    };
    strange.map(problem).collect()
}
