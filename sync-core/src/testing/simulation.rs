//! What a user of the kit asks for, and how seeds are run.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, anyhow};
use sea_orm::{DatabaseConnection, Value};

use super::{
    bench::Bench,
    device::lock,
    edits::Edits,
    failure::{Failure, Report},
    hooks::BoxError,
    options::Options,
    plan::Plan,
    run::{Outcome, run},
    server::Servers,
    setup::{Given, Kit, Setup},
    shrink,
};
use crate::{registry::Registry, schema::Side};

type MakeRegistry = Arc<dyn Fn() -> Result<Registry, BoxError> + Send + Sync>;

/// Many devices that sync a user's entities with a server, once for every seed.
pub struct Simulation {
    registry: MakeRegistry,
    given: Given,
    options: Options,
    seeds: RangeInclusive<u64>,
    replay: String,
    setup: OnceLock<Result<Arc<Setup>, Failure>>,
    /// Those that no thread uses just now.
    benches: Mutex<Vec<Bench>>,
}

impl Simulation {
    /// A simulation of the entities of this registry.
    #[must_use]
    pub fn new<E>(registry: impl Fn() -> Result<Registry, E> + Send + Sync + 'static) -> Self
    where
        E: Into<BoxError>,
    {
        Self {
            registry: Arc::new(move || registry().map_err(Into::into)),
            given: Given::default(),
            options: Options::default(),
            seeds: 1..=100,
            replay: "give the simulation `.seed({seed})` in place of `.seeds(..)`".to_owned(),
            setup: OnceLock::new(),
            benches: Mutex::default(),
        }
    }

    /// How the tables are created in an empty database, of a device or of the server: a migration, as a rule.
    /// Those that synced tables refer to are created, too, and have to hold some rows.
    #[must_use]
    pub fn schema<F, E>(mut self, create: F) -> Self
    where
        F: AsyncFn(&DatabaseConnection, Side) -> Result<(), E> + Send + Sync + 'static,
        E: Into<BoxError> + 'static,
    {
        let create = Arc::new(create);
        self.given.schema = Some(Arc::new(move |db, side| {
            let create = create.clone();
            Box::pin(async move { create(&db, side).await.map_err(Into::into) })
        }));
        self
    }

    /// How an account's row is inserted in the table that owner columns refer to, where they refer to any.
    #[must_use]
    pub fn account<F, E>(mut self, add: F) -> Self
    where
        F: AsyncFn(&DatabaseConnection, &str) -> Result<(), E> + Send + Sync + 'static,
        E: Into<BoxError> + 'static,
    {
        let add = Arc::new(add);
        self.given.account = Some(Arc::new(move |db, user_id| {
            let add = add.clone();
            Box::pin(async move { add(&db, &user_id).await.map_err(Into::into) })
        }));
        self
    }

    /// Values for a column that the kit makes up none for, or none that are good. The same number has to be the
    /// same value; of a natural key's columns the first few are used.
    #[must_use]
    pub fn values<V: Into<Value>>(
        mut self,
        table: &str,
        column: &str,
        value: impl Fn(u64) -> V + Send + Sync + 'static,
    ) -> Self {
        let draw = Arc::new(move |number| value(number).into());
        self.given.values.give(table, column, draw);
        self
    }

    /// A column that no edit touches.
    #[must_use]
    pub fn leave(mut self, table: &str, column: &str) -> Self {
        self.given.values.leave(table, column);
        self
    }

    /// Edits as the application makes them, beside the kit's own.
    #[must_use]
    pub fn edits(mut self, edits: impl Edits + 'static) -> Self {
        self.given.edits = Some(Arc::new(edits));
        self
    }

    /// Another server than the engine on SQLite in this process.
    #[must_use]
    pub fn server(mut self, servers: impl Servers + 'static) -> Self {
        self.given.servers = Some(Arc::new(servers));
        self
    }

    /// What may happen, and about how much.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// About how many things happen in a run.
    #[must_use]
    pub fn actions(mut self, n_actions: usize) -> Self {
        self.options.n_actions = n_actions;
        self
    }

    /// The seeds to run. Each is another history.
    #[must_use]
    pub fn seeds(mut self, seeds: RangeInclusive<u64>) -> Self {
        self.seeds = seeds;
        self
    }

    /// One seed, as when a failure is replayed.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.seeds(seed..=seed)
    }

    /// How people replay a failure, with `{seed}` for the seed: such as a command with a variable that the
    /// test reads.
    #[must_use]
    pub fn replay(mut self, how: impl Into<String>) -> Self {
        self.replay = how.into();
        self
    }

    /// Runs the seeds on as many threads as there are processors.
    ///
    /// # Errors
    /// The lowest seed that was found to fail, made as short as it gets, or why there is nothing to run.
    pub fn run(&self) -> Result<Report, Failure> {
        self.prepare()?;
        let next = AtomicU64::new(*self.seeds.start());
        let failed: Mutex<Option<(u64, String)>> = Mutex::new(None);
        let broken: Mutex<Option<Failure>> = Mutex::new(None);
        let work = || {
            while lock(&failed).is_none() && lock(&broken).is_none() {
                let seed = next.fetch_add(1, Ordering::SeqCst);
                if !self.seeds.contains(&seed) {
                    break;
                }
                match self.failure(seed) {
                    Ok(None) => {}
                    Ok(Some(what)) => {
                        let mut failed = lock(&failed);
                        if failed.as_ref().is_none_or(|(other, _)| seed < *other) {
                            *failed = Some((seed, what));
                        }
                    }
                    Err(error) => _ = lock(&broken).get_or_insert(error),
                }
            }
        };
        let n_threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| (0..n_threads).for_each(|_| _ = scope.spawn(work)));
        if let Some(error) = lock(&broken).take() {
            return Err(error);
        }
        let failed = lock(&failed).take();
        match failed {
            Some((seed, what)) => Err(self.explain(seed, &what)),
            None => Ok(Report {
                seeds: self.seeds.clone().count() as u64,
                left_alone: self.setup()?.left_alone(&self.options),
            }),
        }
    }

    /// What the kit makes of the entities, column by column: what each holds, and what edits do with it.
    ///
    /// # Errors
    /// If the entities cannot be simulated, or break the laws of merging.
    pub fn describe(&self) -> Result<Vec<String>, Failure> {
        let tables = self.setup()?.tables.iter();
        Ok(tables.flat_map(|table| table.describe()).collect())
    }

    /// Makes the databases that all runs begin with. Done by the first run otherwise.
    ///
    /// # Errors
    /// If the entities cannot be simulated, or break the laws of merging.
    pub fn prepare(&self) -> Result<(), Failure> {
        let setup = self.setup()?;
        self.on_bench(async |_| setup.template().await.map(|_| ()))
    }

    /// What is wrong with a seed, if anything is, in a line.
    ///
    /// # Errors
    /// If the simulation itself fails.
    pub fn failure(&self, seed: u64) -> Result<Option<String>, Failure> {
        Ok(self.outcome(seed)?.failure)
    }

    /// A number that stands for everything that happened in a run.
    ///
    /// # Errors
    /// If the simulation itself fails.
    pub fn trace_hash(&self, seed: u64) -> Result<u64, Failure> {
        Ok(self.outcome(seed)?.trace.hash())
    }

    fn outcome(&self, seed: u64) -> Result<Outcome, Failure> {
        let plan = Plan::new(seed, &self.options);
        self.on_bench(async |kit| run(kit, &plan, &self.options).await)
    }

    fn setup(&self) -> Result<Arc<Setup>, Failure> {
        let make = || {
            let registry = (self.registry)().map_err(|e| anyhow!("{e}").context("the registry"));
            let setup = registry.and_then(|registry| Setup::new(registry, self.given.clone()));
            setup.map(Arc::new).map_err(|error| Failure::broken(&error))
        };
        self.setup.get_or_init(make).clone()
    }

    /// Runs a seed that fails once more, makes it as short as it gets and tells what happened.
    fn explain(&self, seed: u64, first: &str) -> Failure {
        self.on_bench(async |kit| self.shortened(kit, seed, first).await)
            .unwrap_or_else(|broken| broken)
    }

    async fn shortened(&self, kit: &Kit, seed: u64, first: &str) -> Result<Failure> {
        let plan = Plan::new(seed, &self.options);
        let outcome = run(kit, &plan, &self.options).await?;
        let what = outcome.failure.clone();
        let what =
            what.with_context(|| format!("seed {seed} failed once and then did not: {first}"))?;
        let (short, last) = shrink::shrink(kit, &plan, &self.options, outcome).await?;
        let devices: Vec<String> = short.devices.iter().map(|d| format!("{d:?}")).collect();
        let report = format!(
            "seed {seed} fails: {what}\n\n{} actions; the shortest history that fails has {}: {}\n  {}\n{}\n\nto replay it, {}\n",
            plan.actions.len(),
            short.actions.len(),
            last.failure.unwrap_or_default(),
            devices.join("\n  "),
            last.trace.lines().join("\n"),
            self.replay.replace("{seed}", &seed.to_string()),
        );
        let seed = Some(seed);
        Ok(Failure { seed, what, report })
    }

    fn on_bench<T>(&self, work: impl AsyncFnOnce(&Kit) -> Result<T>) -> Result<T, Failure> {
        let setup = self.setup()?;
        let idle = lock(&self.benches).pop();
        let bench = idle.map_or_else(Bench::new, Ok);
        let bench = bench.map_err(|error| Failure::broken(&error))?;
        let kit = Kit {
            setup,
            desk: bench.desk.clone(),
        };
        let result = bench.runtime.block_on(work(&kit));
        lock(&self.benches).push(bench);
        result.map_err(|error| Failure::broken(&error))
    }
}
