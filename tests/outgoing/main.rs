//! What Baton connects to on others' behalf: only public addresses, however they are written and
//! whatever a name leads to; what a hostile answer costs; and one request for one call, however connections end.

mod answers;
mod notations;
mod wire;

use std::collections::VecDeque;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use shared::adapters::http::{self, Outside};
use shared::wire::outgoing::Reach;

/// Long enough for a connection on this machine.
const TIMEOUT: Duration = Duration::from_millis(2_000);

/// A port on this machine that counts who connects.
struct Counted {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Counted {
    /// Listens; each connection is dealt with by `serve`, on a thread that ends with the process.
    fn serving(address: &str, serve: impl Fn(TcpStream) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let counted = Self { address: listener.local_addr().unwrap(), connections: Arc::default() };
        let connections = Arc::clone(&counted.connections);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                if let Ok(stream) = stream {
                    let serve = serve.clone();
                    std::thread::spawn(move || serve(stream));
                }
            }
        });
        counted
    }

    fn on_this_machine() -> Self {
        Self::serving("127.0.0.1:0", drop)
    }

    fn port(&self) -> u16 {
        self.address.port()
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads a request's head, so that the answer does not meet a reset.
fn hear(stream: &mut TcpStream) {
    let mut heard = Vec::new();
    let mut byte = [0; 1];
    while !heard.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        heard.push(byte[0]);
    }
}

/// Names that lead, one look-up after the other, where the script says; the last answer stays.
struct Scripted(Mutex<VecDeque<Vec<IpAddr>>>);

impl Scripted {
    fn to(answers: &[&[&str]]) -> Self {
        let answers = answers.iter().map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect());
        Self(Mutex::new(answers.collect()))
    }
}

impl Resolve for Scripted {
    fn resolve(&self, _: Name) -> Resolving {
        let mut script = self.0.lock().unwrap();
        let answer = if script.len() > 1 { script.pop_front() } else { script.front().cloned() };
        let answer = answer.unwrap_or_default().into_iter().map(|address| SocketAddr::new(address, 0));
        Box::pin(std::future::ready(Ok(Box::new(answer) as Addrs)))
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Posts, and says why nothing was answered.
async fn why_not(outside: &Outside, url: &str) -> String {
    match outside.post(url) {
        Err(refused) => refused.to_string(),
        Ok(request) => match request.body("{}").send().await {
            Ok(response) => format!("status {}", response.status()),
            Err(error) => http::kind_of(&error).to_owned(),
        },
    }
}

const NOT_PUBLIC: &str = "the address is not public";

#[test]
fn no_notation_of_an_address_that_is_not_public_is_connected_to() {
    let four = Counted::on_this_machine();
    // A machine without IPv6 has no such door; then there is nothing to knock at either.
    let six = TcpListener::bind("[::1]:0").is_ok().then(|| Counted::serving("[::1]:0", drop));
    let mut urls = notations::of_hosts_in_numbers(four.port());
    urls.extend(six.iter().flat_map(|six| notations::of_hosts_in_numbers(six.port())));
    assert!(urls.len() >= 500, "{} addresses", urls.len());
    run(async {
        let outside = Outside::new(TIMEOUT, Reach::Public).unwrap();
        for url in &urls {
            // The notation is understood, and what it means is refused: it is not a mere mistake.
            assert_eq!(why_not(&outside, url).await, NOT_PUBLIC, "{url}");
        }
    });
    assert_eq!((four.count(), six.map_or(0, |six| six.count())), (0, 0));
}

#[test]
fn the_notations_do_lead_to_this_machine_where_that_is_allowed() {
    let here = Counted::on_this_machine();
    let urls = notations::of("127.0.0.1".parse().unwrap(), here.port());
    let plain = urls.iter().filter_map(|url| url.strip_prefix("https://")).filter(|rest| !rest.starts_with('['));
    run(async {
        let outside = Outside::new(TIMEOUT, Reach::ThisMachineToo).unwrap();
        for (before, rest) in plain.enumerate() {
            assert_eq!(why_not(&outside, &format!("http://{rest}")).await, "the connection broke", "{rest}");
            assert_eq!(here.count(), before + 1, "{rest}");
        }
    });
    assert!(here.count() >= 15);
}

#[test]
fn no_name_leads_to_what_is_not_public() {
    let here = Counted::on_this_machine();
    const NAMES: [&str; 5] = ["bot.example", "bot.example.", "bücher.example", "127.0.0.1.bot.example", "LOCALHOST"];
    // One answer for each look-up: every name leads to every address once.
    let answers: VecDeque<_> =
        notations::hidden().into_iter().flat_map(|address| vec![vec![address]; NAMES.len()]).collect();
    let tries = answers.len();
    assert!(tries >= 150, "{tries}");
    run(async {
        let outside = Outside::with_names(TIMEOUT, Reach::Public, Scripted(Mutex::new(answers))).unwrap();
        for name in NAMES.iter().cycle().take(tries) {
            assert_eq!(why_not(&outside, &format!("https://{name}:{}/", here.port())).await, NOT_PUBLIC, "{name}");
        }
        // The system's own names, unscripted.
        let outside = Outside::new(TIMEOUT, Reach::Public).unwrap();
        assert_eq!(why_not(&outside, &format!("https://localhost:{}/", here.port())).await, NOT_PUBLIC);
    });
    assert_eq!(here.count(), 0);
}

#[test]
fn a_name_that_turns_private_between_two_requests_is_refused_at_the_second() {
    let here = Counted::on_this_machine();
    // "Here" plays the place that may be reached, and a network beside it the one that may not.
    let url = format!("http://localhost:{}/", here.port());
    let names = Scripted::to(&[&["127.0.0.1"], &["10.0.0.1"], &["169.254.169.254", "fd00:ec2::254"]]);
    run(async {
        let outside = Outside::with_names(TIMEOUT, Reach::ThisMachineToo, names).unwrap();
        assert_eq!(why_not(&outside, &url).await, "the connection broke");
        assert_eq!(why_not(&outside, &url).await, NOT_PUBLIC);
        assert_eq!(why_not(&outside, &url).await, NOT_PUBLIC);
    });
    assert_eq!(here.count(), 1);
}

#[test]
fn of_a_mixed_answer_only_what_is_admitted_is_connected_to() {
    let here = Counted::on_this_machine();
    let url = format!("http://localhost:{}/", here.port());
    let names = Scripted::to(&[&["10.255.255.1", "169.254.169.254", "::ffff:127.0.0.1", "127.0.0.1"]]);
    run(async {
        // Were the first ones tried, the time would be up before the last one's turn.
        let outside = Outside::with_names(TIMEOUT, Reach::ThisMachineToo, names).unwrap();
        assert_eq!(why_not(&outside, &url).await, "the connection broke");
    });
    assert_eq!(here.count(), 1);
}
