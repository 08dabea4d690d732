//! One row: what it comes to, decided from what stands, and done in one commit.

use domain::client::Client;
use domain::correction::changed_fields;
use domain::id::{ClientId, MembershipPlanId, PersonId};
use domain::import::{
    ClientRow, ImportColumn, ImportKind, Imported, ImportedRole, NewWorkerError, Row, RowFault,
    RowOutcome, UpdateImportedError, UpdatedPerson, WorkerRow, new_client, new_worker,
    update_person, update_worker,
};
use domain::membership::MembershipPlan;
use domain::notice::Event;
use domain::person::Person;
use domain::signup::PersonDetails;
use domain::support_worker::{EditProfileError, Registered, SupportWorker};
use store::{Audit, Commit, Entity, Key, StaffPartition, StoreError, Versioned};

use crate::activation::was_activated;
use crate::body::IdempotencyKey;
use crate::context::Context;
use crate::correction::mailbox;
use crate::duplicate::told_apart;
use crate::perform::settle;
use crate::problem::Problem;
use crate::standing::OnDuty;
use crate::support_worker::publish;

/// How many membership plans are read at once.
const PLAN_PAGE: u16 = 100;

/// What a row came to, or why it could not be accepted.
type CameTo = Result<RowOutcome, Vec<RowFault>>;

/// One file on its way in.
pub(super) struct Sending<'a> {
    context: &'a Context,
    duty: &'a OnDuty,
    kind: ImportKind,
    /// A digest of the key that the file came with; none in a dry run.
    id: Option<String>,
    /// The plans on offer, by name.
    plans: Vec<(String, MembershipPlanId)>,
}

/// A row whose every cell can be accepted.
enum Right {
    Client(ClientRow),
    Worker(Box<WorkerRow>),
}

impl Right {
    fn reference(&self) -> &str {
        match self {
            Self::Client(row) => &row.reference,
            Self::Worker(row) => &row.reference,
        }
    }
}

/// Why nothing is done about a row.
enum Stop {
    Faults(Vec<RowFault>),
    Problem(Problem),
}

impl<'a> Sending<'a> {
    pub(super) async fn begin(
        context: &'a Context,
        duty: &'a OnDuty,
        kind: ImportKind,
        key: &IdempotencyKey,
        dry_run: bool,
    ) -> Result<Self, Problem> {
        let by = duty.acting.by.to_string();
        let id = || {
            context
                .key
                .digests()
                .of(["sending", &by, &key.key, &key.digest])
        };
        let plans = match kind {
            ImportKind::Clients => plans_on_offer(context).await?,
            ImportKind::SupportWorkers => Vec::new(),
        };
        Ok(Self {
            context,
            duty,
            kind,
            id: (!dry_run).then(id),
            plans,
        })
    }

    /// Does what a row says; in a dry run, everything but the writing.
    pub(super) async fn import(&self, row: &Row) -> Result<CameTo, Problem> {
        let now = self.context.now();
        let right = match self.kind {
            ImportKind::Clients => ClientRow::read(row, now).map(Right::Client),
            ImportKind::SupportWorkers => {
                WorkerRow::read(row, now).map(Box::new).map(Right::Worker)
            }
        };
        let right = match right {
            Ok(right) => right,
            Err(faults) => return Ok(Err(faults)),
        };
        let digest = self.context.key.digests().of(row.said());
        if self.id.is_none() {
            let (_, came_to) = self.decide(&right, &digest).await?;
            return Ok(came_to);
        }
        settle(self.context, || self.decide(&right, &digest)).await
    }

    async fn decide(&self, row: &Right, digest: &str) -> Result<(Option<Commit>, CameTo), Problem> {
        match self.commit(row, digest).await {
            Ok((commit, outcome)) => Ok((commit, Ok(outcome))),
            Err(Stop::Faults(faults)) => Ok((None, Err(faults))),
            Err(Stop::Problem(problem)) => Err(problem),
        }
    }

    /// INVARIANT: whoever came of a reference came in a commit that fails if somebody had before, so two
    /// sendings at the same time bring nobody twice.
    async fn commit(
        &self,
        row: &Right,
        digest: &str,
    ) -> Result<(Option<Commit>, RowOutcome), Stop> {
        let key = Key::imported(self.kind, row.reference());
        let known = self.context.store.get::<Imported>(&key).await?;
        let (commit, outcome) = match (row, known) {
            (_, Some(known)) if known.value.digest == digest => {
                return Ok((None, known.value.came_to(self.id.as_deref())));
            }
            (Right::Client(row), None) => {
                (self.new_client(row, digest).await?, RowOutcome::Created)
            }
            (Right::Worker(row), None) => {
                (self.new_worker(row, digest).await?, RowOutcome::Created)
            }
            (Right::Client(row), Some(known)) => (
                self.changed_client(row, &known, digest).await?,
                RowOutcome::Updated,
            ),
            (Right::Worker(row), Some(known)) => (
                self.changed_worker(row, &known, digest).await?,
                RowOutcome::Updated,
            ),
        };
        Ok((Some(self.duty.insisted_on(commit)), outcome))
    }

    /// At most ten writes: audit item, the caller checked, who came of the row, person, client, plan
    /// checked, two hints, ticket, link.
    async fn new_client(&self, row: &ClientRow, digest: &str) -> Result<Commit, Stop> {
        let plan = match &row.membership_plan {
            Some(name) => Some(self.plan_on_offer(name).await?),
            None => None,
        };
        let context = self.context;
        let ids = (context.fresh(), context.fresh());
        let plan_id = plan.as_ref().map(|plan| plan.value.id);
        let (person, client) = new_client(row.details.clone(), plan_id, ids, context.now());
        let role = ImportedRole::Client(client.id);
        let commit = Commit::new(self.audit("import_client", role)).insert(&client);
        let commit = plan.iter().fold(commit, Commit::unchanged);
        let imported = self.imported(&row.reference, person.id, role, digest, RowOutcome::Created);
        self.invited(commit.insert(&imported), &person).await
    }

    async fn new_worker(&self, row: &WorkerRow, digest: &str) -> Result<Commit, Stop> {
        let context = self.context;
        let policy = context.store.policy().await?;
        let ids = (context.fresh(), context.fresh());
        let Registered { person, worker } = new_worker(row.clone(), ids, &policy, context.now())?;
        let role = ImportedRole::SupportWorker(worker.id);
        let commit = Commit::new(self.audit("import_support_worker", role)).insert(&worker);
        let imported = self.imported(&row.reference, person.id, role, digest, RowOutcome::Created);
        self.invited(commit.insert(&imported), &person).await
    }

    async fn invited(&self, commit: Commit, person: &Person) -> Result<Commit, Stop> {
        let commit = told_apart(self.context, commit.insert(person), None, person).await?;
        let link = person.activation.as_ref();
        let link = link.map(|link| Event::ActivationLink {
            person: person.id,
            generation: link.generation,
        });
        Ok(self.told(commit, link))
    }

    /// At most eleven writes: audit item, the caller checked, who came of the row, person, client
    /// checked, four hints, ticket, link.
    async fn changed_client(
        &self,
        row: &ClientRow,
        known: &Versioned<Imported>,
        digest: &str,
    ) -> Result<Commit, Stop> {
        let ImportedRole::Client(client) = known.value.role else {
            return Err(Problem::internal().into());
        };
        let was: Versioned<Person> = self.load(&Key::person(known.value.person)).await?;
        let updated = self.updated(&was, &row.details, known.value.role).await;
        let has_plan = self
            .checked_plan(client, row.membership_plan.as_deref())
            .await;
        let (updated, client) = both(updated, has_plan)?;
        let fields = changed_fields(&was.value, &updated.person);
        let audit = Audit {
            fields,
            ..self.audit("update_imported_client", known.value.role)
        };
        let commit = client.iter().fold(Commit::new(audit), Commit::unchanged);
        self.changed(commit, known, digest, &was, updated).await
    }

    async fn changed_worker(
        &self,
        row: &WorkerRow,
        known: &Versioned<Imported>,
        digest: &str,
    ) -> Result<Commit, Stop> {
        let ImportedRole::SupportWorker(id) = known.value.role else {
            return Err(Problem::internal().into());
        };
        let was: Versioned<Person> = self.load(&Key::person(known.value.person)).await?;
        let updated = self.updated(&was, &row.details, known.value.role).await?;
        let worker: Versioned<SupportWorker> = self.load(&Key::worker(id)).await?;
        let policy = self.context.store.policy().await?;
        let changed = update_worker(&worker.value, row.profile.clone(), &policy);
        let changed = changed.map_err(|error| refusal(error, was.value.id, known.value.role))?;
        let mut fields = changed_fields(&was.value, &updated.person);
        if changed.worker.profile != worker.value.profile {
            fields.push("profile".to_owned());
        }
        let audit = Audit {
            fields,
            ..self.audit("update_imported_support_worker", known.value.role)
        };
        let commit = publish(self.context, Commit::new(audit), &worker, &changed);
        self.changed(commit, known, digest, &was, updated).await
    }

    async fn updated(
        &self,
        was: &Versioned<Person>,
        details: &PersonDetails,
        role: ImportedRole,
    ) -> Result<UpdatedPerson, Stop> {
        let context = self.context;
        let activated = was_activated(context, &was.value).await?;
        let mailbox = mailbox(context, &was.value, &details.contact).await?;
        update_person(
            &was.value,
            details.clone(),
            activated,
            mailbox,
            context.now(),
        )
        .map_err(|error| refusal(error, was.value.id, role))
    }

    async fn changed(
        &self,
        commit: Commit,
        known: &Versioned<Imported>,
        digest: &str,
        was: &Versioned<Person>,
        UpdatedPerson { person, link }: UpdatedPerson,
    ) -> Result<Commit, Stop> {
        let Imported {
            reference, role, ..
        } = &known.value;
        let imported = self.imported(reference, person.id, *role, digest, RowOutcome::Updated);
        let commit = commit.replace(was, &person).replace(known, &imported);
        let commit = told_apart(self.context, commit, Some(&was.value), &person).await?;
        Ok(self.told(commit, link))
    }

    fn told(&self, commit: Commit, event: Option<Event>) -> Commit {
        match event {
            Some(event) => commit.notify(self.context.fresh(), event),
            None => commit,
        }
    }

    fn audit(&self, operation: &'static str, role: ImportedRole) -> Audit {
        let key = match role {
            ImportedRole::Client(client) => Key::client(client),
            ImportedRole::SupportWorker(worker) => Key::worker(worker),
        };
        self.context.audit(self.duty.acting, operation, &key)
    }

    fn imported(
        &self,
        reference: &str,
        person: PersonId,
        role: ImportedRole,
        digest: &str,
        outcome: RowOutcome,
    ) -> Imported {
        Imported {
            reference: reference.to_owned(),
            person,
            role,
            digest: digest.to_owned(),
            sending: self.id.clone().unwrap_or_default(),
            outcome,
        }
    }

    async fn load<T: Entity>(&self, key: &Key) -> Result<Versioned<T>, Stop> {
        let found = self.context.store.get(key).await?;
        found.ok_or_else(|| {
            tracing::error!(%key, "what came of a row is gone");
            Problem::internal().into()
        })
    }

    /// The one plan on offer of this name, read again: a list only finds.
    async fn plan_on_offer(&self, name: &str) -> Result<Versioned<MembershipPlan>, Stop> {
        let mut called = self.plans.iter().filter(|(plan, _)| plan == name);
        let (found, another) = (called.next(), called.next());
        if another.is_some() {
            let detail = "is the name of several plans on offer; leave it out and assign the right one afterwards";
            return Err(plan_fault(detail));
        }
        let plan = match found {
            Some((_, plan)) => self.context.store.get(&Key::membership_plan(*plan)).await?,
            None => None,
        };
        plan.filter(|plan: &Versioned<MembershipPlan>| is_on_offer_as(&plan.value, name))
            .ok_or_else(|| plan_fault("is the name of no plan on offer"))
    }

    /// The client, if their plan is the one that the row names; none if it names none.
    async fn checked_plan(
        &self,
        client: ClientId,
        name: Option<&str>,
    ) -> Result<Option<Versioned<Client>>, Stop> {
        let Some(name) = name else {
            return Ok(None);
        };
        let client: Versioned<Client> = self.load(&Key::client(client)).await?;
        let plan = match client.value.membership {
            Some(held) => {
                self.context
                    .store
                    .get(&Key::membership_plan(held.plan))
                    .await?
            }
            None => None,
        };
        let plan: Option<Versioned<MembershipPlan>> = plan;
        if plan.is_some_and(|plan| plan.value.terms.name.trim() == name) {
            return Ok(Some(client));
        }
        let id = client.value.id;
        Err(plan_fault(format!(
            "is not the plan that the client has; assign it with PUT /v1/clients/{id}/membership"
        )))
    }
}

async fn plans_on_offer(context: &Context) -> Result<Vec<(String, MembershipPlanId)>, Problem> {
    let mut plans = Vec::new();
    let mut cursor = None;
    loop {
        let partition = StaffPartition::MembershipPlans;
        let page = context
            .store
            .staff_list::<MembershipPlan>(partition, false, PLAN_PAGE, cursor.as_deref())
            .await?;
        let offered = page.items.into_iter().map(|plan| plan.value);
        let offered = offered.filter(MembershipPlan::is_offered);
        plans.extend(offered.map(|plan| (plan.terms.name.trim().to_owned(), plan.id)));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(plans),
        }
    }
}

fn is_on_offer_as(plan: &MembershipPlan, name: &str) -> bool {
    plan.is_offered() && plan.terms.name.trim() == name
}

fn plan_fault(detail: impl Into<String>) -> Stop {
    Stop::Faults(vec![RowFault::of(ImportColumn::MembershipPlan, detail)])
}

/// Both, or every fault of either.
fn both<A, B>(one: Result<A, Stop>, other: Result<B, Stop>) -> Result<(A, B), Stop> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(Stop::Faults(mut faults)), Err(Stop::Faults(more))) => {
            faults.extend(more);
            Err(Stop::Faults(faults))
        }
        (Err(Stop::Problem(problem)), _) | (_, Err(Stop::Problem(problem))) => {
            Err(Stop::Problem(problem))
        }
        (Err(stop), Ok(_)) | (Ok(_), Err(stop)) => Err(stop),
    }
}

/// Why a row changes nothing, and what to use instead.
fn refusal(error: UpdateImportedError, person: PersonId, role: ImportedRole) -> Stop {
    let fault = match &error {
        UpdateImportedError::Activated => RowFault::whole(format!(
            "{error}; correct mail address, telephone number and address with PUT /v1/people/{person}/contact"
        )),
        UpdateImportedError::Merged => {
            RowFault::whole(format!("{error}; GET /v1/people/{person} names it"))
        }
        UpdateImportedError::RepresentativesMailbox => RowFault::of(
            ImportColumn::Email,
            format!("{error}; find out the person's own first"),
        ),
        UpdateImportedError::NoDraft => RowFault::whole(match role {
            ImportedRole::SupportWorker(worker) => {
                format!("{error}; see GET /v1/support-workers/{worker}")
            }
            ImportedRole::Client(_) => error.to_string(),
        }),
        UpdateImportedError::Profile(EditProfileError::Invalid(faults)) => {
            return Stop::Faults(RowFault::of_profile(faults.clone()));
        }
    };
    Stop::Faults(vec![fault])
}

impl From<NewWorkerError> for Stop {
    fn from(error: NewWorkerError) -> Self {
        match error {
            NewWorkerError::Register(error) => {
                Self::Faults(vec![RowFault::whole(error.to_string())])
            }
            NewWorkerError::Profile(EditProfileError::Invalid(faults)) => {
                Self::Faults(RowFault::of_profile(faults))
            }
        }
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Problem(error.into())
    }
}
