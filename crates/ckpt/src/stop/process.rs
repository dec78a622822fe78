//! What the handles of one process share: signals belong to a process, so there is one of this.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ckpt_format::Event;
use signal_hook::SigId;
use signal_hook::flag;
use signal_hook::low_level::{pipe, unregister};

use super::disposition::{self, Disposition};
use super::options::{SignalOptions, StopError};
use super::reason::name;

/// Within this of the first signal to stop, another one is the same request.
const SAME_REQUEST: Duration = Duration::from_millis(200);

static PROCESS: Mutex<Process> =
    Mutex::new(Process { handles: 0, shared: None, without_handles: BTreeMap::new() });

/// Everything that was installed; one at a time, made for the first handle and gone with the last.
struct Process {
    handles: usize,
    shared: Option<Shared>,
    /// What each signal that was ever heard does while no handle lives. `None`: the host's handler does it.
    without_handles: BTreeMap<i32, Option<Arc<AtomicBool>>>,
}

struct Shared {
    /// From when on a signal to stop has its default action.
    armed: Arc<AtomicBool>,
    heard: Arc<Mutex<BTreeMap<i32, Arc<Heard>>>>,
    /// What wakes the watch. Its other end is read by the thread, which ends when all of these are closed.
    bell: UnixStream,
    registered: Vec<SigId>,
}

/// Whether, and since when, a signal to stop was heard.
#[derive(Debug, Default)]
struct Heard {
    flag: Arc<AtomicBool>,
    at: OnceLock<Instant>,
}

/// One handle's part in it; dropping it takes its part away.
#[derive(Debug)]
pub(super) struct Listening {
    stop: BTreeMap<i32, (Event, Arc<Heard>)>,
    ignored: Vec<i32>,
    registered: Vec<SigId>,
}

impl Listening {
    /// From now on `flag` is set to the number of each signal to stop, and `save` by the signal to save.
    pub(super) fn begin(
        options: &SignalOptions,
        flag: &Arc<AtomicUsize>,
        save: &Arc<AtomicBool>,
    ) -> Result<Self, StopError> {
        options.check()?;
        // Made before the guard, so that on an error it is dropped after it: dropping needs the lock.
        let mut listening = Self { stop: BTreeMap::new(), ignored: Vec::new(), registered: Vec::new() };
        let mut process = lock();
        process.handles += 1;
        for (signal, event) in &options.stop {
            let Some(heard) = process.hear(*signal)? else {
                listening.ignored.push(*signal);
                continue;
            };
            let number = usize::try_from(*signal).unwrap_or_default();
            let id = flag::register_usize(*signal, Arc::clone(flag), number).map_err(failed(*signal))?;
            listening.registered.push(id);
            // It may have come before this handle was made.
            if heard.flag.load(Ordering::SeqCst) {
                flag.store(number, Ordering::SeqCst);
            }
            listening.stop.insert(*signal, (event.clone(), heard));
        }
        if let Some(signal) = options.save {
            if disposition::of(signal) == Disposition::Ignored {
                listening.ignored.push(signal);
            } else {
                let id = flag::register(signal, Arc::clone(save)).map_err(failed(signal))?;
                listening.registered.push(id);
                process.spare(signal);
            }
        }
        Ok(listening)
    }

    pub(super) fn ignored(&self) -> &[i32] {
        &self.ignored
    }

    pub(super) fn event(&self, signal: i32) -> Option<Event> {
        self.stop.get(&signal).map(|(event, _)| event.clone())
    }

    /// When it was heard; nothing if the watch has not woken up yet.
    pub(super) fn heard_at(&self, signal: i32) -> Option<Instant> {
        self.stop.get(&signal).and_then(|(_, heard)| heard.at.get().copied())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut process = lock();
        for id in self.registered.drain(..) {
            unregister(id);
        }
        process.leave();
    }
}

impl Process {
    /// Hears a signal to stop, for this and all later handles; nothing if the process ignores it.
    fn hear(&mut self, signal: i32) -> Result<Option<Arc<Heard>>, StopError> {
        if let Entry::Vacant(place) = self.without_handles.entry(signal) {
            place.insert(match disposition::of(signal) {
                Disposition::Ignored => return Ok(None),
                Disposition::Handled => None,
                Disposition::Default => Some(default_action(signal)?),
            });
        }
        let shared = match &mut self.shared {
            Some(shared) => shared,
            empty => empty.insert(Shared::watch().map_err(|source| StopError::Watch { source })?),
        };
        let heard = shared.hear(signal).map_err(failed(signal))?;
        self.spare(signal);
        Ok(Some(heard))
    }

    /// No default action of a signal that somebody hears. Only once it is heard: until then it has it, as before.
    fn spare(&self, signal: i32) {
        if let Some(Some(default)) = self.without_handles.get(&signal) {
            default.store(false, Ordering::SeqCst);
        }
    }

    /// One handle less. `signal-hook` leaves a signal without effect when nobody hears it any more, and then a program could
    /// not be ended by it: so what it does without handles is turned on first.
    fn leave(&mut self) {
        self.handles -= 1;
        if self.handles > 0 {
            return;
        }
        for default in self.without_handles.values().flatten() {
            default.store(true, Ordering::SeqCst);
        }
        if let Some(shared) = self.shared.take() {
            for id in shared.registered {
                unregister(id);
            }
        }
    }
}

impl Shared {
    fn watch() -> io::Result<Self> {
        let (bell, mut listener) = UnixStream::pair()?;
        let shared = Self { armed: Arc::default(), heard: Arc::default(), bell, registered: Vec::new() };
        let (armed, heard) = (Arc::clone(&shared.armed), Arc::clone(&shared.heard));
        thread::Builder::new().name("ckpt-signals".into()).spawn(move || {
            let mut byte = [0];
            while listener.read(&mut byte).is_ok_and(|length| length > 0) {
                let now = Instant::now();
                for heard in heard.lock().unwrap_or_else(PoisonError::into_inner).values() {
                    if heard.flag.load(Ordering::SeqCst) {
                        heard.at.get_or_init(|| now);
                    }
                }
                if !armed.load(Ordering::SeqCst) {
                    thread::sleep(SAME_REQUEST);
                    armed.store(true, Ordering::SeqCst);
                }
            }
        })?;
        Ok(shared)
    }

    /// The order counts: the signal that arms must not find itself armed, and the bell rings once the flag is set.
    fn hear(&mut self, signal: i32) -> io::Result<Arc<Heard>> {
        let mut all = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(heard) = all.get(&signal) {
            return Ok(Arc::clone(heard));
        }
        let heard = Arc::new(Heard::default());
        self.registered.push(flag::register_conditional_default(signal, Arc::clone(&self.armed))?);
        self.registered.push(flag::register(signal, Arc::clone(&heard.flag))?);
        self.registered.push(pipe::register(signal, self.bell.try_clone()?)?);
        all.insert(signal, Arc::clone(&heard));
        Ok(heard)
    }
}

/// The default action of a signal, while the flag is set: it is set until somebody hears the signal.
fn default_action(signal: i32) -> Result<Arc<AtomicBool>, StopError> {
    let on = Arc::new(AtomicBool::new(true));
    flag::register_conditional_default(signal, Arc::clone(&on)).map_err(failed(signal))?;
    Ok(on)
}

fn failed(signal: i32) -> impl Fn(io::Error) -> StopError {
    move |source| StopError::Listen { name: name(signal), source }
}

fn lock() -> MutexGuard<'static, Process> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}
