//! The address of a value as a list has it: counted from 0, from 1, or a reference such as 40001.
//!
//! Owns that one which reads in two ways is refused, with both. Leaves the notations themselves to `devices::profile`.

use devices::profile::typed_address;

/// How the list counts addresses.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Base {
    From(u16),
    /// 40001: the first digit gives the function, the rest counts from 1.
    Reference,
}

/// In zh-CN and en.
type Words = (String, String);

/// Function where the notation says it, and the address: references as they stand, others from 0 in hexadecimal.
pub(super) fn placed(cell: &str, base: Option<Base>) -> Result<(Option<u8>, String), Words> {
    let hex = cell.strip_prefix("0x").or_else(|| cell.strip_prefix("0X")).or_else(|| cell.strip_suffix(['h', 'H']));
    if let Some(digits) = hex {
        let Ok(number) = u32::from_str_radix(digits, 16) else { return Err(no_address(cell)) };
        return match base {
            Some(Base::Reference) => Err((
                format!("{cell} 是十六进制，不是 4xxxx 记法：地址基准写 0 或 1"),
                format!("{cell} is hexadecimal and no reference: write 0 or 1 as the address base"),
            )),
            Some(Base::From(base)) => counted(cell, number, base),
            // offsets in hexadecimal are those of the frame
            None => counted(cell, number, 0),
        };
    }
    let Some(number) = cell.parse::<u32>().ok().filter(|_| cell.bytes().all(|b| b.is_ascii_digit())) else {
        return Err(no_address(cell));
    };
    let reference = typed_address(cell).and_then(|(function, address)| Some((function?, address)));
    match (base, reference) {
        (Some(Base::Reference), Some((function, _))) => Ok((Some(function), cell.to_owned())),
        (Some(Base::Reference), None) => Err((
            format!("{cell} 不是 4xxxx 记法（五位或六位，首位 0、1、3、4）：地址基准写 0 或 1"),
            format!(
                "{cell} is no reference (five or six digits, the first 0, 1, 3 or 4): write 0 or 1 as the address base"
            ),
        )),
        (Some(Base::From(_)), Some((function, address))) => Err(two_ways(cell, number, function, address)),
        (Some(Base::From(base)), None) => counted(cell, number, base),
        (None, Some((function, address))) => Err(two_ways(cell, number, function, address)),
        (None, None) => Err((
            format!("{cell} 从 0 还是从 1 数起？在地址基准列写 0 或 1（厂家表中第一个寄存器的编号）"),
            format!(
                "is {cell} counted from 0 or from 1? write 0 or 1, the number of the first register in the maker's table, in the column address_base"
            ),
        )),
    }
}

fn counted(cell: &str, number: u32, base: u16) -> Result<(Option<u8>, String), Words> {
    let address = number.checked_sub(u32::from(base)).and_then(|address| u16::try_from(address).ok());
    address.map(|address| (None, format!("0x{address:04X}"))).ok_or_else(|| {
        (
            format!("{cell} 不在从 {base} 数起的 65536 个地址之内"),
            format!("{cell} is not one of the 65536 addresses counted from {base}"),
        )
    })
}

/// 40002 is the second holding register, or the register of that number.
fn two_ways(cell: &str, number: u32, function: u8, address: u16) -> Words {
    let table = &cell[..1];
    (
        format!(
            "{cell} 有两种读法：{table}xxxx 记法（功能码 {function}、地址 {address}），地址基准写 {table}xxxx；确是编号 {number} 的寄存器，地址写 0x{number:04X}"
        ),
        format!(
            "{cell} reads in two ways: as a reference (function {function}, address {address}) write {table}xxxx as the address base; if it is the register numbered {number}, write 0x{number:04X} as the address"
        ),
    )
}

fn no_address(cell: &str) -> Words {
    (
        format!("“{cell}”不是地址：写 17、0x6001、6001H 或 40001"),
        format!("`{cell}` is no address: write 17, 0x6001, 6001H or 40001"),
    )
}
