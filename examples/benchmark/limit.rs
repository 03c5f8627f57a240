//! The ceiling: requests of the size of a send over loopback, answered by nothing but a connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rocketmq_client::remoting::net::{Answer, Connection, ConnectionConfig, Handler};
use rocketmq_client::remoting::{Command, RequestCode, ResponseCode};
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;
use crate::measure::{Load, Tally, Window};

struct Echo;

impl Handler for Echo {
    fn handle(&self, _: &Connection, _: Command) -> Answer {
        Answer::Now(Command::response(ResponseCode::SUCCESS))
    }
}

fn spawn(stream: TcpStream) -> Result<Connection, Failure> {
    stream.set_nodelay(true)?;
    let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
    Ok(Connection::spawn(stream, peer, local, Arc::new(Echo), ConnectionConfig::default()))
}

pub async fn run(load: Load) -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (client, server) = tokio::join!(TcpStream::connect(listener.local_addr()?), listener.accept());
    let (client, _server) = (spawn(client?)?, spawn(server?.0)?);
    let window = load.window();
    let workers: Vec<_> =
        (0..load.concurrency).map(|_| tokio::spawn(worker(client.clone(), window, load.body))).collect();
    let mut tallies = Vec::new();
    for worker in workers {
        tallies.push(worker.await?);
    }
    Ok(Tally::report(&load, tallies))
}

async fn worker(connection: Connection, window: Window, body: usize) -> Tally {
    let mut tally = Tally::default();
    let request = Command::request(RequestCode::SEND_MESSAGE_V2).with_body(vec![b'x'; body]);
    while !window.is_over() {
        let begun = Instant::now();
        match connection.call(request.clone(), Duration::from_secs(3)).await {
            Ok(_) => tally.ok(&window, begun, 1),
            Err(_) => tally.failed(),
        }
    }
    tally
}
