//! A payment page's address as a picture to be scanned: SVG for a page, PNG for an app. Holds nothing but the address.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Encoder};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde::Serialize;

/// Modules of white that a scanner wants around it (ISO/IEC 18004 §9.1).
const QUIET: usize = 4;
/// Pixels of one module in the PNG.
const SCALE: usize = 8;
/// Picture units that the SVG has at least on each side; it is scaled without loss.
const SIDE: u32 = 256;

/// One address, twice.
#[derive(Debug, Serialize)]
pub(super) struct Pictures {
    /// An SVG document.
    pub svg: String,
    /// A PNG file in base64.
    pub png: String,
}

/// None where the address is longer than any symbol holds.
pub(super) fn pictures(address: &str) -> Option<Pictures> {
    let with = |level| QrCode::with_error_correction_level(address, level).ok();
    let code = with(EcLevel::M).or_else(|| with(EcLevel::L))?;
    let svg = code.render::<svg::Color<'_>>().min_dimensions(SIDE, SIDE).quiet_zone(true).build();
    Some(Pictures { svg, png: STANDARD.encode(png(&code)?) })
}

/// One bit for each pixel, 1 for white.
fn png(code: &QrCode) -> Option<Vec<u8>> {
    let side = (code.width() + 2 * QUIET) * SCALE;
    let is_dark = |x: usize, y: usize| {
        let module = |at: usize| (at / SCALE).checked_sub(QUIET).filter(|module| *module < code.width());
        module(x).zip(module(y)).is_some_and(|at| code[at] == qrcode::Color::Dark)
    };
    let octet = |x: usize, y: usize| (0..8).fold(0_u8, |octet, bit| octet << 1 | u8::from(!is_dark(x * 8 + bit, y)));
    // A side is a whole number of octets, since a module is eight pixels wide.
    let pixels: Vec<u8> =
        (0..side).flat_map(|y| (0..side / 8).map(move |x| (x, y))).map(|(x, y)| octet(x, y)).collect();
    let (mut file, side) = (Vec::new(), u32::try_from(side).ok()?);
    let mut encoder = Encoder::new(&mut file, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    Some(file)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    /// What an independent scanner reads in a grey picture.
    fn scanned(width: usize, height: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
        let grey = |x, y| if is_dark(x, y) { 0 } else { 255 };
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
        let [found] = &picture.detect_grids()[..] else { panic!("one symbol") };
        found.decode().unwrap().1
    }

    fn png_scanned(png: &str) -> String {
        let file = STANDARD.decode(png).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        let (side, line) = (usize::try_from(frame.width).unwrap(), frame.line_size);
        scanned(side, side, |x, y| pixels[y * line + x / 8] >> (7 - x % 8) & 1 == 0)
    }

    const ADDRESS: &str = "https://sandbox.123pay.vn/banksim/index.SMARTLINK.123P1707110106638.MICODE.accountNoName.\
                           100000.1499789401525.8d538c668ae7c6eac606f28b98aea13d70d14fe0.html?a=1&b=<2>";

    #[test]
    fn a_scanner_reads_the_address_in_the_png() {
        for address in ["https://pay.example/a", ADDRESS, &format!("https://pay.example/{}", "x".repeat(1_000))] {
            assert_eq!(png_scanned(&pictures(address).unwrap().png), address);
        }
    }

    /// `qrcode` writes each dark module as `Mx yh…v…h-…V…`, in picture units.
    #[test]
    fn the_svg_shows_the_same_modules_with_white_around_them() {
        let svg = pictures(ADDRESS).unwrap().svg;
        let path = svg.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
        let number = |text: &str| text.parse::<usize>().unwrap();
        let squares: Vec<(usize, usize, usize)> = path
            .split('M')
            .skip(1)
            .map(|square| {
                let (x, rest) = square.split_once(' ').unwrap();
                let (y, rest) = rest.split_once('h').unwrap();
                (number(x), number(y), number(rest.split('v').next().unwrap()))
            })
            .collect();
        let module = squares[0].2;
        let side = number(svg.split("width=\"").nth(1).unwrap().split('"').next().unwrap());
        assert!(squares.iter().all(|(x, y, _)| *x >= QUIET * module && *y >= QUIET * module));
        let is_dark = |px: usize, py: usize| {
            squares.iter().any(|(x, y, w)| (*x..x + w).contains(&px) && (*y..y + w).contains(&py))
        };
        assert_eq!(scanned(side, side, is_dark), ADDRESS);
    }

    #[test]
    fn an_address_that_no_symbol_holds_has_no_picture() {
        assert!(pictures(&"x".repeat(3_000)).is_none());
    }
}
