//! Files whose addresses run out are fetched at once, from public places only, and within limits.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::super::run;
use super::*;

const MB: usize = 1024 * 1024;

/// A server of files on this machine: it answers each path by itself.
fn files() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || drop(serve(stream)));
        }
    });
    address
}

fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut heard, mut byte) = (Vec::new(), [0; 1]);
    while !heard.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        heard.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&heard).into_owned();
    let path = head.split([' ', '?']).nth(1).unwrap_or_default();
    let mut ok = |kind: &str, length: usize| {
        let told = if length == 0 { String::new() } else { format!("content-length: {length}\r\n") };
        stream
            .write_all(format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{told}connection: close\r\n\r\n").as_bytes())
    };
    match path {
        "/photo.png" => {
            ok("image/png; q=1", 5)?;
            stream.write_all(b"\x00\x01\xfe\xff!")
        }
        "/large" => {
            ok("application/zip", 20 * MB)?;
            stream.write_all(&vec![7; 20 * MB])
        }
        "/told-too-large" => ok("application/zip", 20 * MB + 1),
        "/untold-too-large" => {
            ok("application/zip", 0)?;
            for _ in 0..21 {
                stream.write_all(&vec![7; MB])?;
            }
            Ok(())
        }
        "/broken" => {
            ok("text/plain", 100)?;
            stream.write_all(b"half")
        }
        "/silent" => {
            std::thread::sleep(std::time::Duration::from_secs(8));
            Ok(())
        }
        "/moved" => stream.write_all(b"HTTP/1.1 302 Found\r\nlocation: /photo.png\r\ncontent-length: 0\r\n\r\n"),
        "/round" => stream.write_all(b"HTTP/1.1 302 Found\r\nlocation: /round\r\ncontent-length: 0\r\n\r\n"),
        "/inside" => stream.write_all(
            b"HTTP/1.1 307 X\r\nlocation: http://169.254.169.254/latest/meta-data\r\ncontent-length: 0\r\n\r\n",
        ),
        _ => stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
    }
}

fn file(url: String) -> File {
    serde_json::from_value(json!({ "url": url, "fetch": true })).unwrap()
}

#[test]
fn files_are_fetched_and_arrive_as_they_are() {
    for version in ["2.10", "2.15", "2.16"] {
        run(async {
            let there = Reached::start(&format!("files-{version}"), version).await;
            let (who, at) = (contact(CARLA, "user"), files());
            let id = there.begun(&who, "Hello").await;
            let named = File {
                name: Some("me.jpg".to_owned()),
                content_type: Some("image/jpeg".to_owned()),
                ..file(format!("http://{at}/moved"))
            };
            let linked = serde_json::from_value(json!({ "url": "https://files.example/a.png" })).unwrap();
            let sent = vec![file(format!("http://{at}/photo.png?sig=1")), linked, named];
            let answer = there.relay(&id, &who, "Look: \"these\"", sent).await;
            let Answer::Done { part_id: Some(part) } = answer else { panic!("{answer:?}") };
            let seen = there.api.observe(&there.workspace, &id, false).await.unwrap();
            let mut got = seen.parts.into_iter().find(|one| one.id == part).unwrap().attachments;
            got.sort_by_key(|one| one.name.clone());
            let told: Vec<_> = got.iter().map(|one| (one.name.as_deref(), one.content_type.as_deref())).collect();
            assert_eq!(
                told,
                [
                    (Some("a.png"), Some("image/png")),
                    (Some("me.jpg"), Some("image/jpeg")),
                    (Some("photo.png"), Some("image/png"))
                ]
            );
            for one in &got[1..] {
                let bytes = there.http.get(&one.url).send().await.unwrap().bytes().await.unwrap();
                assert_eq!(bytes.as_ref(), b"\x00\x01\xfe\xff!");
            }
        });
    }
}

#[test]
fn the_largest_files_go_and_larger_ones_are_refused_before_they_fill_a_worker() {
    run(async {
        // Without a record, which would have them once more.
        let there = Reached::kept(None, "2.15", |_| ()).await;
        let (who, at) = (contact(CARLA, "user"), files());
        let id = there.begun(&who, "Hello").await;
        let large = || file(format!("http://{at}/large"));
        let answer = there.relay(&id, &who, "Both", vec![large(), large()]).await;
        assert!(matches!(answer, Answer::Done { part_id: Some(_) }), "{answer:?}");
        let after = there.last().await;
        for sent in [
            vec![file(format!("http://{at}/told-too-large"))],
            vec![file(format!("http://{at}/untold-too-large"))],
            vec![large(), large(), file(format!("http://{at}/photo.png"))],
        ] {
            rejected_as(&there.relay(&id, &who, "Look", sent).await, "attachment_too_large");
        }
        assert_eq!(there.asked_since(after).await, [""; 0], "nothing is said without its files");
    });
}

#[test]
fn what_cannot_be_had_or_may_not_be_asked_for_is_told_apart() {
    run(async {
        let mut there = Reached::start("files-out-of-reach", "2.15").await;
        let (who, at) = (contact(CARLA, "user"), files());
        let id = there.begun(&who, "Hello").await;
        let closed = super::super::aws::free_port();
        let urls = [
            (format!("http://{at}/missing"), "attachment_unreachable"),
            (format!("http://{at}/broken"), "attachment_unreachable"),
            (format!("http://{at}/round"), "attachment_unreachable"),
            (format!("http://{at}/silent"), "attachment_unreachable"),
            (format!("http://127.0.0.1:{closed}/"), "attachment_unreachable"),
            (format!("http://{at}/inside"), "attachment_forbidden"),
            ("https://10.0.0.1/x".to_owned(), "attachment_forbidden"),
            ("http://files.example/x".to_owned(), "attachment_forbidden"),
            ("file:///etc/passwd".to_owned(), "attachment_forbidden"),
        ];
        let after = there.last().await;
        for (url, code) in urls {
            let began = std::time::Instant::now();
            rejected_as(&there.relay(&id, &who, "Look", vec![file(url.clone())]).await, code);
            assert!(began.elapsed() < std::time::Duration::from_secs(7), "{url}: an attempt is 15 seconds");
        }
        there.api = adapter(SystemClock);
        let answer = there.relay(&id, &who, "Look", vec![file(format!("http://{at}/photo.png"))]).await;
        rejected_as(&answer, "attachment_forbidden");
        let named = vec![file(format!("https://localhost:{}/photo.png", at.port()))];
        rejected_as(&there.relay(&id, &who, "Look", named).await, "attachment_forbidden");
        assert_eq!(there.asked_since(after).await, [""; 0]);
    });
}

#[test]
fn while_a_file_is_under_way_another_waits_in_its_queue() {
    run(async {
        let there = Reached::start("files-in-turn", "2.15").await;
        let (who, at) = (contact(CARLA, "user"), files());
        let (first, second) = (there.begun(&who, "One").await, there.begun(&who, "Two").await);
        there.fault(json!({ "fault": "delay", "delay_ms": 500 }), "POST", "/reply").await;
        let send = |id: ConversationId, there: &Reached| {
            let relay = Action::Relay {
                contact: contact(CARLA, "user").id,
                text: "Look".to_owned(),
                files: vec![file(format!("http://{at}/photo.png"))],
            };
            let (api, workspace) = (there.api.clone(), there.workspace.clone());
            async move { api.perform(&workspace, &id, &relay).await }
        };
        let plain = there.relay(&second, &who, "Without", Vec::new());
        let (one, other, plain) = tokio::join!(send(first, &there), send(second.clone(), &there), plain);
        assert!(matches!(one, Answer::Done { .. }), "{one:?}");
        assert!(matches!(other, Answer::NotSent { .. }), "{other:?}");
        assert!(matches!(plain, Answer::Done { .. }), "{plain:?}");
        assert!(matches!(send(second, &there).await, Answer::Done { .. }));
    });
}
