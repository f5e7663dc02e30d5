//! `read`: registers once, in every plausible type and byte order; with `--expect` the orders that give a known value.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::Exit;
use super::link::{Address, LinkArgs, address, block_on, open, shown, until_ctrl_c};
use super::silence::{Asks, Question, because, reference};
use super::table::{self, Column, numbers, words as column};
use devices::commission::{Instrument, Session, Silence};
use devices::guess::{Guess, expecting, guesses};
use devices::plan::Span;
use devices::profile::WordOrder;
use serde_json::json;
use std::time::Duration;

/// Guesses shown at most.
const SHOWN_MAX: usize = 10;

/// Arguments of `read`.
#[derive(Debug, clap::Args)]
pub(super) struct ReadArgs {
    #[command(flatten)]
    link: LinkArgs,
    /// 站号 · unit id.
    #[arg(long)]
    unit: u8,
    /// 功能码 · 1 coils, 2 inputs, 3 holding, 4 input registers; default 3, or what the address says.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4))]
    function: Option<u8>,
    /// 地址 · from 0: 17, 0x6001, 6001H; or the reference 40018, 30001.
    #[arg(long, value_parser = address)]
    address: Address,
    /// 个数 · registers or bits.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=125))]
    count: u16,
    /// 仪表上显示的值：按此找出类型和字节序 · the value on the display: ranks types and byte orders by it.
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    expect: Option<f64>,
    /// 以 JSON 输出 · the result as JSON.
    #[arg(long)]
    json: bool,
}

/// The command.
pub(super) fn main(args: &ReadArgs) -> Exit {
    block_on(run(args))
}

async fn run(args: &ReadArgs) -> Result<Exit, Exit> {
    args.address.fits(args.function)?;
    let function = args.function.or(args.address.0).unwrap_or(3);
    let span = Span { function, address: args.address.1, count: args.count };
    if u32::from(span.address) + u32::from(span.count) > 0x1_0000 {
        eprintln!("地址超过 65535 · the address runs past 65535");
        return Err(Exit::Usage);
    }
    let (transport, name) = args.link.transport()?;
    let mut session = open(&transport, &name).await?;
    let outcome = until_ctrl_c(session.ask(&Instrument::unknown(args.unit), span, args.link.wait())).await;
    let (words, took) = match outcome {
        None => {
            stopped(args, span);
            return Ok(Exit::Ok);
        }
        Some(Ok(answer)) => answer,
        Some(Err(silence)) => {
            eprintln!("{}", because(&silence, Question { unit: args.unit, span, asks: Asks::ByHand }));
            if matches!(silence, Silence::Timeout | Silence::Damaged | Silence::Ambiguous) {
                until_ctrl_c(hear_out(&mut session, args.link.wait())).await;
            }
            return Err(Exit::Io);
        }
    };
    let found = match args.expect {
        _ if span.is_bits() => Vec::new(),
        Some(expected) => expecting(&words, expected),
        None => guesses(&words),
    };
    if args.json {
        println!("{}", report(args, span, Some((&words, took)), &found));
    } else {
        print(args, span, &words, took, &found);
    }
    Ok(if args.expect.is_some() && found.is_empty() { Exit::Found } else { Exit::Ok })
}

/// Whoever asks next finds the line empty, and is told when the instrument answers after all.
async fn hear_out(session: &mut Session, wait: Duration) {
    session.hear_out().await;
    if session.late_answers() > 0 {
        let longer = wait.as_millis() * 3;
        eprintln!(
            "有应答在等待结束后才到，未采用：用 --timeout-ms {longer} 再读一次 · an answer came after its time and was not taken: read again with \
             --timeout-ms {longer}"
        );
    }
}

/// A person did not wait for the answer.
fn stopped(args: &ReadArgs, span: Span) {
    if args.json {
        println!("{}", report(args, span, None, &[]));
    }
    eprintln!("已停止，没有等到应答 · stopped before an answer came");
}

fn order_word(guess: &Guess) -> &'static str {
    match guess.order {
        None => "",
        Some(_) if guess.kind.ends_with("16") => "BA",
        Some(order) => order.word(),
    }
}

/// As it would stand in a profile.
fn profile_line(guess: &Guess, span: Span) -> String {
    let address = usize::from(span.address) + guess.offset;
    let order = match order_word(guess) {
        "" | "ABCD" => String::new(),
        order => format!(", word_order = \"{order}\""),
    };
    let scale = if guess.scale < 1.0 { format!(", scale = {}", guess.scale) } else { String::new() };
    format!("function = {}, address = {address}, type = \"{}\"{order}{scale}", span.function, guess.kind)
}

fn report(args: &ReadArgs, span: Span, answer: Option<(&[u16], Duration)>, found: &[Guess]) -> String {
    let guess = |g: &Guess| {
        json!({
            "type": g.kind, "word_order": order_word(g), "address": usize::from(span.address) + g.offset, "scale": g.scale,
            "value": g.value, "plausibility": (g.plausibility * 100.0).round() / 100.0, "profile": profile_line(g, span),
        })
    };
    let report = json!({
        "complete": answer.is_some(), "unit": args.unit, "function": span.function, "address": span.address,
        "words": answer.map_or(&[][..], |(words, _)| words), "ms": answer.map(|(_, took)| took.as_secs_f64() * 1000.0), "expected": args.expect, "guesses": found.iter().map(guess).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&report).expect("numbers and texts only")
}

fn print(args: &ReadArgs, span: Span, words: &[u16], took: Duration, found: &[Guess]) {
    let last = match span.count {
        1 => String::new(),
        count => format!("–{}", u32::from(span.address) + u32::from(count) - 1),
    };
    println!(
        "站号 unit {}  功能 function {}  地址 address {}{last}  {:.1} ms",
        args.unit,
        span.function,
        span.address,
        took.as_secs_f64() * 1000.0
    );
    if span.is_bits() {
        for (place, bit) in (u32::from(span.address)..).zip(words) {
            println!("  {place:5}  {bit}");
        }
        return;
    }
    singles(span, words);
    pairs(span, words);
    say_guesses(args, span, found);
}

const SINGLES: [Column; 9] = [
    numbers("地址", "address"),
    numbers("手册写法", "reference"),
    column("十六进制", "hex"),
    numbers("无符号", "u16"),
    numbers("有符号", "i16"),
    numbers("高字节", "high"),
    numbers("低字节", "low"),
    column("位 15…0", "bits 15…0"),
    column("字", "text"),
];

fn singles(span: Span, words: &[u16]) {
    let letter = |b: u8| if b.is_ascii_graphic() { char::from(b) } else { '.' };
    let row = |(address, word): (u32, &u16)| {
        let [high, low] = word.to_be_bytes();
        [
            address.to_string(),
            reference(span.function, address),
            format!("0x{word:04X}"),
            word.to_string(),
            word.cast_signed().to_string(),
            high.to_string(),
            low.to_string(),
            format!("{word:016b}"),
            format!("{}{}", letter(high), letter(low)),
        ]
    };
    let rows: Vec<_> = (u32::from(span.address)..).zip(words).map(row).collect();
    said(&table::lines(&SINGLES, &rows));
}

fn said(lines: &[String]) {
    lines.iter().for_each(|line| println!("  {line}"));
}

const PAIRS: [Column; 5] = [
    column("两个寄存器", "pair"),
    column("字节序", "order"),
    numbers("单精度", "f32"),
    numbers("无符号", "u32"),
    numbers("有符号", "i32"),
];

fn pairs(span: Span, words: &[u16]) {
    let places = (u32::from(span.address)..).step_by(2);
    let of_pair = |(address, pair): (u32, &[u16])| {
        WordOrder::OF_32.map(|order| {
            let bits = u32::try_from(order.join(pair)).expect("two registers are 32 bits");
            let float = f32::from_bits(bits);
            [
                format!("{address}–{}", address + 1),
                order.word().to_owned(),
                if float.is_finite() { shown(f64::from(float)) } else { "—".to_owned() },
                bits.to_string(),
                bits.cast_signed().to_string(),
            ]
        })
    };
    let rows: Vec<_> = places.zip(words.chunks_exact(2)).flat_map(of_pair).collect();
    said(&table::lines(&PAIRS, &rows));
}

const GUESSES: [Column; 5] = [
    numbers("把握", "score"),
    numbers("值", "value"),
    column("类型", "type"),
    column("字节序", "order"),
    column("写进型号文件", "as it stands in a profile"),
];

fn say_guesses(args: &ReadArgs, span: Span, found: &[Guess]) {
    match args.expect {
        Some(expected) if found.is_empty() => {
            println!("没有一种读法接近 {expected}：换地址再试 · no reading comes near {expected}: try other addresses");
            return;
        }
        Some(expected) => println!("按接近 {} 排序 · nearest to {}", shown(expected), shown(expected)),
        None => println!("可能的读法，最像的在前 · plausible readings, the likeliest first"),
    }
    let row = |guess: &Guess| {
        [
            format!("{:.0}%", guess.plausibility * 100.0),
            shown(guess.value),
            guess.kind.to_string(),
            order_word(guess).to_owned(),
            profile_line(guess, span),
        ]
    };
    let rows: Vec<_> = found.iter().take(SHOWN_MAX).map(row).collect();
    said(&table::lines(&GUESSES, &rows));
}
