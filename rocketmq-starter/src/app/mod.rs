//! The application and its parts.

mod backend;
mod clients;
mod consumers;
mod groups;
mod hooks;
mod log_level;
mod names;
mod pages;
mod plan;
mod producers;
mod pull;
mod report;
mod running;
mod sections;
mod settings;
mod signal;
mod stage;
mod start;
mod summary;
mod watch;

pub(crate) use consumers::KnownConsumers;
#[cfg(feature = "testing")]
pub(crate) use groups::check_needs;
pub use running::RunningApp;
pub(crate) use stage::Stage;

use crate::__private::{DiscoveredChecker, DiscoveredListener};
use crate::config::{ConfigReport, RocketmqProperties};
use crate::context::{Context, States};
use crate::error::{RunError, StartError};
use crate::layer::{Layer, Layers};
use crate::listener::{Handling, IntoListener, Listener};
use crate::outcome::BoxError;
use crate::transaction::{IntoTransactionChecker, TransactionChecker};
use hooks::Hooks;
use log_level::OnLogLevel;
use report::Origins;
use rocketmq_client::Interceptor;
use rocketmq_client::consumer::AllocateStrategy;
use sections::SectionReader;
use serde::de::DeserializeOwned;
use signal::Signals;
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// A group, perhaps with placeholders, and its strategy.
type Allocation = (Cow<'static, str>, Arc<dyn AllocateStrategy>);
type Configure = Box<dyn FnOnce(&mut RocketmqProperties) + Send>;

/// An application: its listeners, their states, its hooks and its configuration.
///
/// [`run`](App::run) reads the configuration, and starts clients, producers, [`on_start`](App::on_start), consumers and
/// [`on_ready`](App::on_ready) in this order. At the end it goes backwards: consumers finish the messages in flight and commit,
/// then come [`on_stop`](App::on_stop), producers and clients.
///
/// ```no_run
/// use rocketmq_starter::{App, Json, RunError, State, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "orders", group = "billing")]
/// async fn bill(Json(id): Json<u64>, State(currency): State<&'static str>) {
///     println!("order {id} in {currency}");
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<(), RunError> {
///     App::new().state("EUR").listener(bill).run().await
/// }
/// ```
#[derive(Default)]
#[must_use = "an application does nothing before it is run"]
pub struct App {
    origins: Origins,
    watch: Option<Duration>,
    on_log_level: Option<OnLogLevel>,
    configure: Vec<Configure>,
    states: States,
    sections: Vec<SectionReader>,
    listeners: Vec<Listener>,
    checkers: Vec<TransactionChecker>,
    interceptors: Vec<Arc<dyn Interceptor>>,
    layers: Layers,
    allocations: Vec<Allocation>,
    discover: bool,
    on_start: Hooks,
    on_ready: Hooks,
    on_stop: Hooks,
    stage: Option<Stage>,
}

impl App {
    /// Makes an application without listeners. It reads `application.toml` and `config/application.toml` in the current folder
    /// if they exist, the files of the profile in `ROCKETMQ_PROFILE`, and `ROCKETMQ_*` variables. [`App`] shows a use.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// let app = App::new();
    /// # drop(app);
    /// ```
    pub fn new() -> Self {
        App::default()
    }

    /// Reads this file instead of the usual ones; it must exist. The files of profiles lie beside it.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// let app = App::new().config_file("/etc/shop/application.toml").profile("prod"); // and application-prod.toml
    /// # drop(app);
    /// ```
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.origins.file = Some(path.into());
        self
    }

    /// Lays `application-{profile}.toml` over the configuration; commas separate several profiles. It goes before
    /// `ROCKETMQ_PROFILE` and `rocketmq.profile`. [`config_file`](App::config_file) shows a use.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// let app = App::new().profile("prod,eu"); // application-prod.toml, then application-eu.toml
    /// # drop(app);
    /// ```
    pub fn profile(mut self, profiles: impl Into<String>) -> Self {
        self.origins.profiles = Some(profiles.into());
        self
    }

    /// Sets one key, over files and variables. The rules of a file hold: an unknown key below `rocketmq` is a mistake, and
    /// `rocketmq.producers.<name>.group` makes a producer.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// let app = App::new().set("rocketmq.name-server", "127.0.0.1:9876").set("rocketmq.producer.group", "shop");
    /// # drop(app);
    /// ```
    #[track_caller]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let place = Location::caller();
        self.origins.set.push((key.into(), value.into(), format!("{}:{}", place.file(), place.line())));
        self
    }

    /// Reads variables from this file, which must exist; those of the process go before them. Without this call a file `.env` in
    /// the current folder is read if it is there. A line is `NAME=value`, `NAME='as it is'` or `NAME="with \n"`; comments begin
    /// with `#`.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// let app = App::new().dotenv("/etc/shop/rocketmq.env");
    /// # drop(app);
    /// ```
    pub fn dotenv(mut self, file: impl Into<PathBuf>) -> Self {
        self.origins.dotenv = Some(file.into());
        self
    }

    /// Reads these variables instead of those of the process and of `.env`; for tests.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// let app = App::new().environment([("ROCKETMQ_NAME_SERVER", "127.0.0.1:9876")]);
    /// # drop(app);
    /// ```
    pub fn environment<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.origins.variables =
            Some(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// Returns the effective value of every key, options of the listeners included, and the place where each was written;
    /// [`ConfigReport`] shows a use. Changes by [`configure`](App::configure) come later and are not in it.
    ///
    /// ```
    /// # fn main() -> Result<(), rocketmq_starter::StartError> {
    /// println!("{}", rocketmq_starter::App::new().set("rocketmq.producer.group", "shop").config_report()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails with the list of all keys and values in the sources that are wrong.
    pub fn config_report(&self) -> Result<ConfigReport, StartError> {
        report::of(self)
    }

    /// Reads files and variables again each time `every` has passed, at least 10 ms, and brings changes into effect: `log-level`,
    /// and `concurrency`, `paused` and `max-reconsume-times` of groups. The log names each change and its place; a warning names
    /// a changed key that counts only at the next start. Wrong content is an error in the log with its `file:line`, and the
    /// configuration before it stays in effect.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rocketmq_starter::App;
    ///
    /// let app = App::new().watch_config(Duration::from_secs(5));
    /// # drop(app);
    /// ```
    pub fn watch_config(mut self, every: Duration) -> Self {
        self.watch = Some(every.max(Duration::from_millis(10)));
        self
    }

    /// Calls this function with the level of the key `rocketmq.log-level`, at the start and after each change that
    /// [`watch_config`](App::watch_config) sees.
    ///
    /// ```
    /// use rocketmq_starter::App;
    /// use tracing_subscriber::filter::LevelFilter;
    /// use tracing_subscriber::{fmt, prelude::*, registry, reload};
    ///
    /// let (level, handle) = reload::Layer::new(LevelFilter::INFO);
    /// registry().with(level).with(fmt::layer()).init();
    /// let app = App::new().on_log_level(move |level| drop(handle.reload(level)));
    /// # drop(app);
    /// ```
    pub fn on_log_level(mut self, change: impl Fn(LevelFilter) + Send + Sync + 'static) -> Self {
        self.on_log_level = Some(Arc::new(change));
        self
    }

    /// Changes the values of the configuration after all sources were read.
    /// [`RocketmqProperties`] shows a use.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// let app = App::new().configure(|properties| properties.name_server = Some("10.0.0.7:9876".into()));
    /// # drop(app);
    /// ```
    pub fn configure(mut self, change: impl FnOnce(&mut RocketmqProperties) + Send + 'static) -> Self {
        self.configure.push(Box::new(change));
        self
    }

    /// Gives listeners a value, which they take as [`State<T>`](crate::State): one of each type, cloned for each message.
    ///
    /// ```
    /// use rocketmq_starter::{App, State};
    ///
    /// let app = App::new().state(String::from("EUR")).listen("orders", "billing", |State(currency): State<String>| async move {
    ///     println!("billed in {currency}");
    /// });
    /// # drop(app);
    /// ```
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        self.states.insert(state);
        self
    }

    /// Reads a section of your own, from the same files, profiles and variables as `[rocketmq]`. Listeners take it as
    /// [`Config<T>`](crate::extract::Config): one section of each type.
    ///
    /// The start fails with all mistakes together: a text that the type does not take, named with its key and `file:line`, and
    /// a value that is missing. Names follow the relaxed rule: `max-items`, `maxItems` and `max_items` are one field. The
    /// variable `ORDERS_MAX_ITEMS` goes before `orders.max-items` in the files, and [`set`](App::set) before both; below a table
    /// inside the section a variable counts if a file has that table. Placeholders work in every text, and `;` separates the
    /// members of a list in a variable. An empty text counts as no value. A key that the type does not have causes a
    /// warning, or is a mistake with `#[serde(deny_unknown_fields)]`.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// /// `[orders]` of `application.toml`.
    /// #[derive(serde::Deserialize)]
    /// struct Orders {
    ///     max_items: u32,
    ///     #[serde(default)]
    ///     regions: Vec<String>,
    /// }
    ///
    /// let app = App::new().config::<Orders>("orders").set("orders.max-items", "7");
    /// # drop(app);
    /// ```
    #[track_caller]
    pub fn config<T: DeserializeOwned + Send + Sync + 'static>(
        mut self,
        section: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.sections.push(SectionReader::of::<T>(section.into()));
        self
    }

    /// Adds a function with `#[rocketmq_listener]`, or a [`Listener`]. Adding it twice counts once. [`App`] shows a use.
    ///
    /// ```
    /// use rocketmq_starter::{App, Json, rocketmq_listener};
    ///
    /// #[rocketmq_listener(topic = "orders", group = "billing")]
    /// async fn bill(Json(id): Json<u64>) {
    ///     println!("billed {id}");
    /// }
    ///
    /// let app = App::new().listener(bill);
    /// # drop(app);
    /// ```
    pub fn listener<Form>(mut self, listener: impl IntoListener<Form>) -> Self {
        self.add_listener(listener.into_listener());
        self
    }

    /// Adds a closure, a function, or a struct that is a [`Handler`](crate::listener::Handler) as a listener;
    /// [`Listener::new`] adds options.
    ///
    /// ```
    /// use rocketmq_starter::{App, Json};
    ///
    /// let app = App::new().listen("orders", "printing", |Json(id): Json<u64>| async move { println!("{id}") });
    /// # drop(app);
    /// ```
    #[track_caller]
    pub fn listen<H: Handling<Args>, Args>(
        self,
        topic: impl Into<Cow<'static, str>>,
        group: impl Into<Cow<'static, str>>,
        handler: H,
    ) -> Self {
        self.listener(Listener::new(topic, group, handler))
    }

    /// Adds a function with `#[rocketmq_transaction_listener]`, whose page shows a use.
    ///
    /// ```
    /// use rocketmq_starter::{App, Json, TransactionState, rocketmq_transaction_listener};
    ///
    /// #[rocketmq_transaction_listener]
    /// async fn is_paid(Json(order): Json<u64>) -> TransactionState {
    ///     if order % 2 == 0 { TransactionState::Commit } else { TransactionState::Unknown }
    /// }
    ///
    /// let app = App::new().transaction_listener(is_paid);
    /// # drop(app);
    /// ```
    pub fn transaction_listener<Form>(mut self, checker: impl IntoTransactionChecker<Form>) -> Self {
        self.add_checker(checker.into_checker());
        self
    }

    /// Calls an [`Interceptor`] around every send of the templates and every call of a listener, in the order of addition. It
    /// can veto a send, which fails then, and settle a message without its listener.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use rocketmq_starter::{App, Delivery, Interceptor, Outcome};
    ///
    /// /// Acknowledges the messages of a load test without their listeners.
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

    /// Puts a layer around the handlers of all listeners and the sends of all templates, inside those that were added before;
    /// [`layer`](crate::layer) tells about layers.
    ///
    /// ```
    /// use rocketmq_starter::App;
    /// use rocketmq_starter::layer::RateLimit;
    ///
    /// let app = App::new().layer(RateLimit::per_second(100)).listen("orders", "billing", || async {});
    /// # drop(app);
    /// ```
    pub fn layer(mut self, layer: impl Layer) -> Self {
        self.layers = self.layers.with(Arc::new(layer));
        self
    }

    /// Splits the queues of a group's topics by this strategy, which goes before the option `allocate`. All members of the
    /// group need the same strategy. `group` may hold placeholders. Default: the option, else
    /// [`Averagely`](rocketmq_client::consumer::Averagely).
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

    /// Adds every annotated function of this binary.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// let app = App::new().discover();
    /// # drop(app);
    /// ```
    pub fn discover(mut self) -> Self {
        self.discover = true;
        self
    }

    /// Adds a hook that runs when producers can send and before the first message is handled. Fill caches here. An error keeps
    /// the application from starting.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().on_start(|context| async move {
    ///     context.template().ok_or("no template")?.send("events", "started").await?;
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn on_start<F, Fut, E>(mut self, hook: F) -> Self
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.on_start.add(hook);
        self
    }

    /// Adds a hook that runs when every listener is at work. An error ends the application. [`on_start`](App::on_start) shows the
    /// form.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().on_ready(|context| async move {
    ///     println!("ready: {}", context.health().ready);
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn on_ready<F, Fut, E>(mut self, hook: F) -> Self
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.on_ready.add(hook);
        self
    }

    /// Adds a hook that runs when the listeners have finished and producers can still send. Errors are logged.
    /// [`on_start`](App::on_start) shows the form.
    ///
    /// ```
    /// use rocketmq_starter::{App, BoxError};
    ///
    /// let app = App::new().on_stop(|context| async move {
    ///     context.template().ok_or("no template")?.send("events", "stopped").await?;
    ///     Ok::<_, BoxError>(())
    /// });
    /// # drop(app);
    /// ```
    pub fn on_stop<F, Fut, E>(mut self, hook: F) -> Self
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.on_stop.add(hook);
        self
    }

    /// Starts the application and returns its handle, for programs that have more to do, and for tests. [`RunningApp`] shows a
    /// use.
    ///
    /// ```no_run
    /// use rocketmq_starter::App;
    ///
    /// # async fn example() -> Result<(), rocketmq_starter::StartError> {
    /// let running = App::new().set("rocketmq.name-server", "127.0.0.1:9876").start().await?;
    /// running.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails with one [`StartError`] that lists all mistakes. Nothing is left running then.
    ///
    /// # Cancel safety
    /// Dropping the future stops the parts that have started.
    pub async fn start(self) -> Result<RunningApp, StartError> {
        start::start(self).await
    }

    /// Puts the application on the stage of a test. It reads no variable of the process, which are different on each machine.
    #[cfg(feature = "testing")]
    pub(crate) fn on(mut self, stage: Stage) -> Self {
        self.origins.variables.get_or_insert_default();
        self.stage = Some(stage);
        self
    }

    /// Runs until SIGTERM, Ctrl-C or [`Context::stop`], then finishes the messages in flight. A second signal does not
    /// wait for them: the broker delivers them again later.
    ///
    /// ```no_run
    /// #[tokio::main]
    /// async fn main() -> Result<(), rocketmq_starter::RunError> {
    ///     rocketmq_starter::App::new().discover().run().await
    /// }
    /// ```
    ///
    /// # Errors
    /// Fails as [`start`](App::start) does. A second signal that cuts handlers or the stop hook is
    /// [`RunError::Interrupted`], so that the process exits with code 1.
    ///
    /// # Cancel safety
    /// Dropping the future stops the application at once: the broker delivers the messages in flight again.
    pub async fn run(self) -> Result<(), RunError> {
        let mut signals = Signals::watch();
        let running = self.start().await?;
        tokio::select! {
            () = signals.next() => {}
            () = running.stopped() => {}
        }
        finish(running, signals).await
    }

    /// Runs until `end` is ready or [`Context::stop`] is called, then finishes the messages in flight. SIGTERM and Ctrl-C
    /// cut them from then on.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), rocketmq_starter::RunError> {
    /// let lunch = tokio::time::sleep(std::time::Duration::from_secs(3600));
    /// rocketmq_starter::App::new().discover().run_until(lunch).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails as [`run`](App::run) does.
    ///
    /// # Cancel safety
    /// As [`run`](App::run).
    pub async fn run_until(self, end: impl Future<Output = ()>) -> Result<(), RunError> {
        let running = self.start().await?;
        tokio::select! {
            () = end => {}
            () = running.stopped() => {}
        }
        finish(running, Signals::watch()).await
    }

    /// Adds a listener once, also if it is both registered and discovered.
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

/// Shuts down in order, or at once after a signal.
async fn finish(running: RunningApp, mut signals: Signals) -> Result<(), RunError> {
    tracing::info!("shutting down: finishing the messages in flight");
    let context = running.context().clone();
    let mut shutdown = std::pin::pin!(running.shutdown());
    tokio::select! {
        () = &mut shutdown => {}
        () = signals.next() => {
            let cut = context.interrupted();
            tracing::warn!("{cut}");
            return Err(RunError::Interrupted(cut));
        }
    }
    tracing::info!("shut down");
    Ok(())
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
