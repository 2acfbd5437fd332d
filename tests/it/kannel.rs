//! Kannel itself between the SMSC and paygate: its bearerbox holds the SMPP link, its smsbox calls our door and takes our
//! replies. Debian's package, started on ports of its own; a machine without it fails here and says so.

use crate::stores::{Server, Store, free_port, shared_dir};
use crate::world::{Books, PATIENCE, World};
use sqlx::Connection;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A running Kannel; both boxes end with the test.
struct Kannel {
    _bearerbox: Server,
    _smsbox: Server,
}

struct Ports {
    admin: u16,
    smsbox: u16,
    sendsms: u16,
}

impl Ports {
    fn free() -> Self {
        Self { admin: free_port(), smsbox: free_port(), sendsms: free_port() }
    }
}

impl Kannel {
    /// Bound to the world's SMSC, and calling its first daemon.
    async fn start(world: &World, ports: &Ports) -> Self {
        let bearerbox = start("bearerbox", &configuration(world, ports));
        bearerbox.wait(|| listens(ports.smsbox));
        let smsbox = start("smsbox", &configuration(world, ports));
        smsbox.wait(|| listens(ports.sendsms));
        world.smsc.bound(1).await;
        Self { _bearerbox: bearerbox, _smsbox: smsbox }
    }
}

fn start(program: &str, configuration: &str) -> Server {
    let path = Path::new("/usr/sbin").join(program);
    assert!(path.exists(), "{program} is not on this machine; tests/run installs Kannel");
    let dir = shared_dir("kannel");
    let file = dir.join("kannel.conf");
    std::fs::write(&file, configuration).unwrap();
    let command = [path.display().to_string(), "-v".to_owned(), "1".to_owned(), file.display().to_string()];
    Server::start(&dir, "KILL", &command)
}

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn configuration(world: &World, ports: &Ports) -> String {
    let Ports { admin, smsbox, sendsms } = ports;
    let (smsc, door) = (world.smsc.address().port(), world.door("/mo/kannel"));
    format!(
        "group = core
admin-port = {admin}
admin-password = secret
smsbox-port = {smsbox}
box-allow-ip = 127.0.0.1

group = smsc
smsc = smpp
smsc-id = simulated
host = 127.0.0.1
port = {smsc}
smsc-username = kannel
smsc-password = secret
system-type = VMA
transceiver-mode = true

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
http-request-retry = 20
http-queue-delay = 1

group = sendsms-user
username = paygate
password = secret
max-messages = 3
concatenation = true

group = sms-service
keyword = default
catch-all = true
get-url = \"{door}?from=%p&to=%P&text=%b&id=%I\"
max-messages = 0
"
    )
}

/// A world whose only link is Kannel.
async fn world(ports: &Ports) -> World {
    let link = format!(
        r#"
        [[smsc]]
        name = "box"
        kind = "kannel"
        sendsms_url = "http://127.0.0.1:{}/cgi-bin/sendsms"
        username = "paygate"
        password = "secret"
        short_codes = ["9029"]
        "#,
        ports.sendsms
    );
    World::of(Store::sqlite()).set(&link).set("http.ack_within = \"200ms\"").start().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_goes_through_a_real_kannel() {
    let ports = Ports::free();
    let world = world(&ports).await;
    let kannel = Kannel::start(&world, &ports).await;
    let phone = world.phone("0854689520");
    phone.buys("ON VIP NAP1 0912345678").await;
    phone.reads_done().await;
    assert_eq!(world.purchases().await[0].purchase.order.door, "kannel");
    drop(kannel);
    world.ends(&["done"], Books::BOUGHT).await;
}

/// Kannel gives each `deliver_sm` an id of its own: what the SMSC sends twice reaches us as two messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_smsc_delivers_twice_to_kannel_is_still_one_purchase() {
    let ports = Ports::free();
    let world = world(&ports).await;
    let kannel = Kannel::start(&world, &ports).await;
    let phone = world.phone("0854689520");
    let code = phone.asks("ON VIP NAP1").await;
    assert_eq!(phone.asks("ON VIP NAP1").await, code);
    phone.texts(&code).await;
    phone.reads_done().await;
    phone.texts(&code).await;
    phone.reads("da mua thanh cong").await;
    drop(kannel);
    world.ends(&["done"], Books::BOUGHT).await;
}

/// What we could not keep we answer with 503, and smsbox asks again under the same id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_kept_is_brought_again_by_kannel() {
    let ports = Ports::free();
    let world = world(&ports).await;
    let kannel = Kannel::start(&world, &ports).await;
    let phone = world.phone("0854689520");
    let held = world.store.hold().await;
    phone.texts("ON VIP NAP1").await;
    let refused = async {
        while !metrics(&world).await.contains(r#"{door="kannel",verdict="later"}"#) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("Kannel hands the message over");
    held.close().await.unwrap();
    phone.reads_offer().await;
    drop(kannel);
    world.ends(&["offered"], Books::NOTHING).await;
}

async fn metrics(world: &World) -> String {
    reqwest::get(world.door("/metrics")).await.unwrap().text().await.unwrap()
}
