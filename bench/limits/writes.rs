//! What a mutation costs beside one hand-written transaction that writes the same rows.
//!
//! One client, one thing at a time, in turns: `loyaltyPointsCredit` over HTTP, and the seven statements that it comes down
//! to, prepared, between `BEGIN` and `COMMIT`, with nothing read and nothing checked.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use c360_rules::id::{self, Kind};
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

const STATEMENTS: [&str; 7] = [
    "UPDATE loyalty_accounts SET active_points = active_points + 1, version = version + 1 WHERE id = $1",
    "INSERT INTO loyalty_transactions (id, account_id, customer_id, kind, points, balance_after, reason, source, occurred_at) \
     SELECT $1, a.id, a.customer_id, 'ADJUSTMENT', 1, a.active_points + a.pending_points + a.held_points, 'By hand', 'c360', \
     date_trunc('milliseconds', now()) FROM loyalty_accounts a WHERE a.id = $2",
    "INSERT INTO points_lots (id, account_id, customer_id, transaction_id, state, points, remaining, held, earned_at, available_at) \
     VALUES ($1, $2, $3, $4, 'ACTIVE', 1, 1, 0, now(), now())",
    "INSERT INTO points_allocations (transaction_id, lot_id, customer_id, points) VALUES ($1, $2, $3, 1)",
    "INSERT INTO events (id, customer_id, kind, domain, visibility, subject_kind, subject_id, points, actor_kind, actor_id, \
     source, reason, occurred_at, recorded_at) VALUES ($1, $2, 'POINTS_ADJUSTED', 'LOYALTY', 'CUSTOMER', \
     'loyalty_transaction', $3, 1, 'STAFF', 'agent', 'c360', 'By hand', now(), now())",
    "UPDATE customers SET event_clock = event_clock + 1 WHERE id = $1",
    "INSERT INTO idempotency_records (caller, idempotency_key, operation, input_hash, result_ids, created_at, expires_at) \
     VALUES ('bench', $1, 'loyaltyPointsCredit', '\\x00', '{}', now(), now() + interval '2 days')",
];

/// Times both, and prints a line for each.
pub(crate) fn run() -> Outcome<()> {
    let setting = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let (url, address, token) = (setting("DATABASE_URL")?, setting("GATEWAY")?, setting("TOKEN")?);
    let rounds: usize = std::env::var("ROUNDS").unwrap_or_else(|_| "1000".into()).parse()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (mut client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        let mut prepared = Vec::new();
        for text in STATEMENTS {
            prepared.push(client.prepare(text).await?);
        }
        let accounts: Vec<(Uuid, Uuid)> = client
            .query("SELECT id, customer_id FROM loyalty_accounts WHERE status = 'ACTIVE' ORDER BY md5(id::text)", &[])
            .await?
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        let mut gateway = Gateway::connect(&address, token)?;
        let (mut by_hand, mut by_gateway) = (Vec::new(), Vec::new());
        for (round, pair) in accounts.chunks_exact(2).cycle().take(rounds).enumerate() {
            let started = Instant::now();
            write(&mut client, &prepared, pair[0]).await?;
            by_hand.push(started.elapsed());
            let started = Instant::now();
            gateway.credit(pair[1].1, round)?;
            by_gateway.push(started.elapsed());
        }
        let (hand, gateway) = (middle(&mut by_hand), middle(&mut by_gateway));
        println!(
            "by hand: p50 {:.2} ms; mutation: p50 {:.2} ms; ratio {:.2}",
            ms(hand),
            ms(gateway),
            ms(gateway) / ms(hand)
        );
        Ok(())
    })
}

async fn write(client: &mut Client, prepared: &[Statement], (account, customer): (Uuid, Uuid)) -> Outcome<()> {
    let [transaction, lot, event] = [(); 3].map(|()| Uuid::new_v4());
    let tx = client.transaction().await?;
    tx.execute(&prepared[0], &[&account]).await?;
    tx.execute(&prepared[1], &[&transaction, &account]).await?;
    tx.execute(&prepared[2], &[&lot, &account, &customer, &transaction]).await?;
    tx.execute(&prepared[3], &[&transaction, &lot, &customer]).await?;
    tx.execute(&prepared[4], &[&event, &customer, &transaction]).await?;
    tx.execute(&prepared[5], &[&customer]).await?;
    tx.execute(&prepared[6], &[&event.to_string()]).await?;
    Ok(tx.commit().await?)
}

/// One connection to the gateway, kept open.
struct Gateway {
    stream: BufReader<TcpStream>,
    host: String,
    token: String,
    run: Uuid,
}

impl Gateway {
    fn connect(address: &str, token: String) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host: address.to_owned(), token, run: Uuid::new_v4() })
    }

    fn credit(&mut self, customer: Uuid, round: usize) -> Outcome<()> {
        let body = serde_json::json!({
            "query": "mutation($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
                      transaction { id } userErrors { code } } }",
            "variables": { "input": {
                "customer": { "id": id::encode(Kind::Customer, customer) }, "points": 1, "reason": "By mutation",
                "idempotencyKey": format!("{}-{round}", self.run),
            } },
        })
        .to_string();
        write!(
            self.stream.get_mut(),
            "POST /graphql HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            self.token,
            body.len()
        )?;
        let answer = self.answer()?;
        if answer.contains("\"userErrors\":[]") { Ok(()) } else { Err(format!("a wrong answer: {answer}").into()) }
    }

    fn answer(&mut self) -> Outcome<String> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            match line.trim_end().to_ascii_lowercase().split_once(": ") {
                Some(("content-length", value)) => length = value.parse()?,
                _ if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(String::from_utf8(body)?)
    }
}

fn middle(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
