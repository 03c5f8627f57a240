//! Measures the ceiling: requests of the size of a send over loopback, to a peer that only answers. The peer has a
//! thread of its own, like a broker.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_client::remoting::net::{Answer, Connection, ConnectionConfig, Handler};
use rocketmq_client::remoting::{Command, RequestCode, ResponseCode};
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;
use crate::measure::Load;

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

/// Starts the peer for one connection. Returns its address.
fn serve() -> Result<SocketAddr, Failure> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let (stream, _) = TcpListener::from_std(listener)?.accept().await?;
            spawn(stream)?.closed().await;
            Ok::<_, Failure>(())
        })
    });
    Ok(address)
}

pub async fn run(load: Load<'_>) -> Result<String, Failure> {
    let client = spawn(TcpStream::connect(serve()?).await?)?;
    let request = Command::request(RequestCode::SEND_MESSAGE_V2).with_body(load.bytes());
    load.drive(|_| {
        let (connection, request) = (client.clone(), request.clone());
        move || call(connection.clone(), request.clone())
    })
    .await
}

async fn call(connection: Connection, request: Command) -> Option<u64> {
    connection.call(request, Duration::from_secs(3)).await.ok().map(|_| 1)
}
