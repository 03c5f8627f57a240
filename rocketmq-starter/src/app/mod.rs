//! The application: what it is made of.

mod backend;
mod clients;
mod consumers;
mod hooks;
mod look;
mod names;
mod plan;
mod producers;
mod pull;
mod running;
mod signal;
mod start;

pub(crate) use consumers::KnownConsumers;
pub use running::RunningApp;

use crate::__private::{DiscoveredChecker, DiscoveredListener};
use crate::checker::{IntoTransactionChecker, TransactionChecker};
use crate::config::RocketmqProperties;
use crate::config::sources::Settings;
use crate::context::{Context, States};
use crate::error::StartError;
use crate::listener::{Handler, IntoListener, Listener};
use crate::outcome::BoxError;
use hooks::Hooks;
use rocketmq_client::Interceptor;
use rocketmq_client::consumer::AllocateStrategy;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;

/// A group, perhaps by a placeholder, and its strategy.
type Allocation = (Cow<'static, str>, Arc<dyn AllocateStrategy>);
type Configure = Box<dyn FnOnce(&mut RocketmqProperties) + Send>;

/// An application: listeners, what they need, and where its configuration is.
///
/// [`run`](App::run) starts everything in an order that lets nothing arrive too early: configuration, clients,
/// producers, [`on_start`](App::on_start), consumers, [`on_ready`](App::on_ready). At the end the same goes
/// backwards: consumers finish what is in flight and commit, [`on_stop`](App::on_stop), producers, clients.
#[derive(Default)]
#[must_use = "an application does nothing before it is run"]
pub struct App {
    file: Option<PathBuf>,
    profiles: Option<String>,
    variables: Option<BTreeMap<String, String>>,
    set: Settings,
    configure: Vec<Configure>,
    states: States,
    listeners: Vec<Listener>,
    checkers: Vec<TransactionChecker>,
    interceptors: Vec<Arc<dyn Interceptor>>,
    allocations: Vec<Allocation>,
    discover: bool,
    on_start: Hooks,
    on_ready: Hooks,
    on_stop: Hooks,
}

impl App {
    /// An application without listeners, configured by `application.toml` and `config/application.toml` in the
    /// current folder as far as they exist, by the profile in `ROCKETMQ_PROFILE`, and by `ROCKETMQ_*` variables.
    pub fn new() -> Self {
        App::default()
    }

    /// Reads this file instead of the usual ones; it must exist. Profiles are looked for beside it.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Lays `application-{profile}.toml` over the configuration; several profiles are separated by commas. Goes
    /// before `rocketmq.profile` and `ROCKETMQ_PROFILE`.
    pub fn profile(mut self, profiles: impl Into<String>) -> Self {
        self.profiles = Some(profiles.into());
        self
    }

    /// Sets one key, over files and environment: `.set("rocketmq.name-server", "127.0.0.1:9876")`. The same rules hold as
    /// for a file: an unknown key below `rocketmq` is a mistake, and `rocketmq.producers.<name>.group` makes a producer.
    #[track_caller]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let place = Location::caller();
        self.set.push((key.into(), value.into(), format!("{}:{}", place.file(), place.line())));
        self
    }

    /// Reads these variables instead of the process environment; for tests.
    pub fn environment<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.variables =
            Some(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// Changes the configuration after it was read.
    pub fn configure(mut self, change: impl FnOnce(&mut RocketmqProperties) + Send + 'static) -> Self {
        self.configure.push(Box::new(change));
        self
    }

    /// Gives listeners a value to take as `State<T>`: one of each type, cloned for each message.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        self.states.insert(state);
        self
    }

    /// Adds a function with `#[rocketmq_listener]`.
    pub fn listener<Form>(mut self, listener: impl IntoListener<Form>) -> Self {
        self.add_listener(listener.into_listener());
        self
    }

    /// Adds a closure as a listener; for options see [`Listener::new`].
    #[track_caller]
    pub fn listen<H: Handler<Args>, Args>(
        self,
        topic: impl Into<Cow<'static, str>>,
        group: impl Into<Cow<'static, str>>,
        handler: H,
    ) -> Self {
        self.listener(Listener::new(topic, group, handler))
    }

    /// Adds a function with `#[rocketmq_transaction_listener]`.
    pub fn transaction_listener<Form>(mut self, checker: impl IntoTransactionChecker<Form>) -> Self {
        self.add_checker(checker.into_checker());
        self
    }

    /// Calls this around every send of the templates and every call of a listener, in the order of addition; see
    /// [`Interceptor`]. A veto of a send reaches its caller as an error; a listener can be spared a message.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use rocketmq_starter::{App, Delivery, Interceptor, Outcome};
    ///
    /// /// Messages of a load test are taken note of and otherwise left alone.
    /// struct SkipLoadTests;
    ///
    /// impl Interceptor for SkipLoadTests {
    ///     fn before_consume(&self, _group: &str, deliveries: &[Delivery]) -> ControlFlow<Outcome> {
    ///         let probe = deliveries.iter().all(|delivery| delivery.property("load-test").is_some());
    ///         if probe { ControlFlow::Break(Outcome::Ack) } else { ControlFlow::Continue(()) }
    ///     }
    /// }
    ///
    /// let app = App::new().interceptor(SkipLoadTests);
    /// # drop(app);
    /// ```
    pub fn interceptor(mut self, interceptor: impl Interceptor) -> Self {
        self.interceptors.push(Arc::new(interceptor));
        self
    }

    /// Splits the queues of a group's topics by this strategy, whatever `allocate` says: for one of your own, or one that
    /// needs more than a key can say. All members of the group need the same one. `group` may hold placeholders, as in
    /// the attribute. Default: `allocate`, else [`Averagely`](rocketmq_client::consumer::Averagely).
    ///
    /// ```
    /// use rocketmq_client::consumer::{Averagely, MachineRoomNearby, MessageQueue, RoomResolver};
    /// use rocketmq_starter::App;
    ///
    /// /// Brokers are called `<room>@<name>`; a member's room is its `instance-name`.
    /// struct Rooms;
    ///
    /// impl RoomResolver for Rooms {
    ///     fn room_of_queue(&self, queue: &MessageQueue) -> Option<String> {
    ///         queue.broker_name.split_once('@').map(|(room, _)| room.to_owned())
    ///     }
    ///
    ///     fn room_of_member(&self, client_id: &str) -> Option<String> {
    ///         client_id.split_once('@').map(|(_, room)| room.to_owned())
    ///     }
    /// }
    ///
    /// let app = App::new().allocate("billing", MachineRoomNearby::new(Averagely, Rooms));
    /// # drop(app);
    /// ```
    pub fn allocate(mut self, group: impl Into<Cow<'static, str>>, strategy: impl AllocateStrategy) -> Self {
        self.allocations.push((group.into(), Arc::new(strategy)));
        self
    }

    /// Adds every annotated function of this binary, wherever it is.
    pub fn discover(mut self) -> Self {
        self.discover = true;
        self
    }

    /// Runs once producers can send and before the first message is handled: the place to fill caches. An error
    /// keeps the application from starting.
    pub fn on_start<F, Fut, E>(mut self, hook: F) -> Self
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.on_start.add(hook);
        self
    }

    /// Runs once every listener is at work. An error ends the application.
    pub fn on_ready<F, Fut, E>(mut self, hook: F) -> Self
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.on_ready.add(hook);
        self
    }

    /// Runs when the listeners have finished, while producers can still send. Errors are logged.
    pub fn on_stop<F, Fut, E>(mut self, hook: F) -> Self
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.on_stop.add(hook);
        self
    }

    /// Starts the application and gives its handle; for programs that have more to do, and for tests.
    ///
    /// # Errors
    /// Everything that keeps it from starting, in one [`StartError`]. Nothing is left running then.
    pub async fn start(self) -> Result<RunningApp, StartError> {
        start::start(self).await
    }

    /// Runs until SIGTERM, Ctrl-C or [`Context::stop`], then finishes what is in flight. A second signal does not
    /// wait for it: messages that are cut are delivered again later.
    ///
    /// # Errors
    /// As [`start`](App::start).
    pub async fn run(self) -> Result<(), StartError> {
        self.run_until(signal::terminated()).await
    }

    /// Runs until `end` is ready or [`Context::stop`] is called, then finishes what is in flight.
    ///
    /// # Errors
    /// As [`start`](App::start).
    pub async fn run_until(self, end: impl Future<Output = ()>) -> Result<(), StartError> {
        let running = self.start().await?;
        tokio::select! {
            () = end => {}
            () = running.stopped() => {}
        }
        tracing::info!("shutting down: finishing what is in flight");
        tokio::select! {
            () = running.shutdown() => tracing::info!("shut down"),
            () = signal::terminated() => tracing::warn!("asked again to end: what is in flight is delivered again"),
        }
        Ok(())
    }

    /// A function that is both registered and discovered counts once.
    fn add_listener(&mut self, listener: Listener) {
        if !self.listeners.iter().any(|known| known.spec == listener.spec) {
            self.listeners.push(listener);
        }
    }

    fn add_checker(&mut self, checker: TransactionChecker) {
        if !self.checkers.iter().any(|known| known.spec == checker.spec) {
            self.checkers.push(checker);
        }
    }

    fn add_discovered(&mut self) {
        for DiscoveredListener(make) in inventory::iter::<DiscoveredListener> {
            self.add_listener(make());
        }
        for DiscoveredChecker(make) in inventory::iter::<DiscoveredChecker> {
            self.add_checker(make());
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("listeners", &self.listeners)
            .field("checkers", &self.checkers)
            .field("states", &self.states)
            .finish_non_exhaustive()
    }
}
