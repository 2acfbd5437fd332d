//! Starts one task for each configured link and watches how it stands. Knows which neighbour carries which replies, and
//! nothing of what they say.

use super::gateways;
use crate::config::{Bind, Config, KannelLink, LinkKind, SmppLink, Smsc};
use crate::engine::door::{Delivery, Submit};
use crate::http::{Part, Readiness};
use crate::http_client::HttpClient;
use crate::kannel;
use crate::smpp::{self, Health, LinkSettings, Role};
use crate::ussd::Dialogues;
use anyhow::Context;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::collections::HashMap;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The receiving ends of the links' outboxes, waiting for their links to be started.
pub(super) struct Outboxes(HashMap<String, mpsc::Receiver<Submit>>);

/// An outbox for each link that can send; a receiver's replies go by the transmitter of the same name.
pub(super) fn outboxes(config: &Config) -> (HashMap<String, mpsc::Sender<Submit>>, Outboxes) {
    let sending = config.smsc.iter().filter(|smsc| can_send(smsc));
    let (senders, receivers) = sending
        .map(|smsc| {
            let (sender, receiver) = mpsc::channel(config.engine.outbox);
            ((smsc.name.clone(), sender), (smsc.name.clone(), receiver))
        })
        .unzip();
    (senders, Outboxes(receivers))
}

fn can_send(smsc: &Smsc) -> bool {
    match &smsc.kind {
        LinkKind::Smpp(link) => link.bind != Bind::Receiver,
        LinkKind::Kannel(_) => true,
    }
}

/// What the links are started with.
pub(super) struct Starter<'a> {
    pub(super) intake: mpsc::Sender<Delivery>,
    /// What phones that dial are shown.
    pub(super) menus: Option<&'a Dialogues>,
    pub(super) client: &'a HttpClient,
    pub(super) readiness: &'a watch::Sender<Readiness>,
    pub(super) stop: &'a CancellationToken,
    pub(super) tasks: &'a TaskTracker,
}

impl Starter<'_> {
    pub(super) fn start(&self, config: &Config, mut outboxes: Outboxes) -> anyhow::Result<()> {
        for smsc in &config.smsc {
            let outbox = if can_send(smsc) { outboxes.0.remove(&smsc.name) } else { None };
            let outbox = outbox.unwrap_or_else(|| mpsc::channel(1).1);
            match &smsc.kind {
                LinkKind::Smpp(link) => {
                    let settings =
                        LinkSettings { ussd: gateways::of_link(config, &smsc.name), ..settings(smsc, link)? };
                    self.start_smpp(part_name(smsc), settings, outbox);
                }
                LinkKind::Kannel(link) => self.start_kannel(smsc, link, outbox),
            }
        }
        if let Some(menus) = self.menus {
            gateways::start(config, menus, self);
        }
        Ok(())
    }

    fn start_smpp(&self, part: String, settings: LinkSettings, outbox: mpsc::Receiver<Submit>) {
        let (health, changes) = watch::channel(Health::Down);
        let (intake, menus) = (self.intake.clone(), self.menus.cloned());
        self.tasks.spawn(smpp::run(settings, intake, outbox, menus, health, self.stop.clone()));
        self.tasks.spawn(follow(part, changes, self.readiness.clone()));
    }

    fn start_kannel(&self, smsc: &Smsc, link: &KannelLink, outbox: mpsc::Receiver<Submit>) {
        self.readiness.send_if_modified(|parts| parts.set(&part_name(smsc), Part::Ready));
        self.tasks.spawn(kannel::run(link.clone(), self.client.clone(), outbox, self.stop.clone()));
    }
}

/// The link's name on the readiness page. The two connections of a pair are two parts.
pub(super) fn part_name(smsc: &Smsc) -> String {
    match &smsc.kind {
        LinkKind::Smpp(link) if link.bind == Bind::Receiver => format!("smsc {} (receiver)", smsc.name),
        LinkKind::Smpp(_) | LinkKind::Kannel(_) => format!("smsc {}", smsc.name),
    }
}

async fn follow(part: String, mut changes: watch::Receiver<Health>, readiness: watch::Sender<Readiness>) {
    loop {
        let state = match *changes.borrow_and_update() {
            Health::Bound { .. } => Part::Ready,
            Health::Down => Part::Missing("down".to_owned()),
            Health::Binding => Part::Missing("binding".to_owned()),
            Health::Refused { status } => Part::Missing(format!("bind refused with status 0x{status:08x}")),
        };
        readiness.send_if_modified(|parts| parts.set(&part, state));
        if changes.changed().await.is_err() {
            return;
        }
    }
}

pub(super) fn settings(smsc: &Smsc, link: &SmppLink) -> anyhow::Result<LinkSettings> {
    let mut settings = LinkSettings::new(&smsc.name, &link.address, &link.system_id, link.password.clone());
    settings.tls = link.tls;
    settings.tls_roots = match &link.tls_ca {
        Some(path) => CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .with_context(|| format!("the certificates of smsc {} in {} cannot be read", smsc.name, path.display()))?,
        None => Vec::new(),
    };
    settings.bind = match link.bind {
        Bind::Transceiver => Role::Transceiver,
        Bind::Transmitter => Role::Transmitter,
        Bind::Receiver => Role::Receiver,
    };
    settings.system_type.clone_from(&link.system_type);
    settings.interface_version = link.interface_version;
    settings.default_alphabet = link.default_alphabet;
    settings.default_short_code = smsc.short_codes.first().cloned();
    settings.window = usize::from(link.window);
    settings.throughput = link.throughput;
    settings.pdu_max = usize::try_from(link.max_pdu).unwrap_or(settings.pdu_max);
    settings.enquire_link = link.enquire_link;
    settings.response_timeout = link.response_timeout;
    settings.bind_timeout = link.bind_timeout;
    settings.pdu_read_timeout = link.pdu_read_timeout;
    settings.ack_within = link.ack_within;
    Ok(settings)
}
