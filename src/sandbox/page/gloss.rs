//! What a Vietnamese text or screen says, in a line of English for a visitor who reads none. A hint by its phrases: the words
//! of another configuration may go without.

/// A phrase, and what a text with it says; the first that fits counts.
const SAYS: &[(&str, &str)] = &[
    ("Thanh cong", "Done: paid, and the package is there"),
    ("VUA MUA goi", "You have just bought this. Answer only if you want it once more"),
    (": mua goi", "The offer: answer with this code to buy"),
    ("soan ma OTP nha mang", "The offer: answer with the code that the telco sent"),
    ("de xac nhan, soan Y", "Answer Y to buy"),
    ("soan Y gui", "The offer: answer Y to buy"),
    ("thanh toan tai", "To be paid at this link"),
    ("ma chua duoc nhan", "The code did not arrive; answer it again"),
    ("Ma khong dung", "Wrong code"),
    ("Ma sai qua so lan", "Too many wrong codes: called off"),
    ("Ma den khi da het han", "The code came too late"),
    ("Da het han xac nhan", "Not answered in time; ask again to buy"),
    ("Da huy yeu cau", "Called off"),
    ("dang duoc kiem tra", "Being checked. Do not send again: you will not be charged twice"),
    ("Khong cap duoc goi", "The package could not be added; the money is given back"),
    ("Neu ban da dong y mua", "Busy. If you agreed, the result is texted; if not, try again later"),
    ("He thong ban", "The system is busy; try again later"),
    ("He thong dang ban", "The system is busy; try again later"),
    ("khong co hoac sai", "There is no such account"),
    ("Khong co goi", "There is no such package"),
    ("dang bi khoa", "The account is locked"),
    ("khong duoc mua goi", "This account may not buy that package"),
    ("khong mua duoc goi", "This account may not buy that package"),
    ("Khong du tien", "Not enough money"),
    ("Vuot han muc", "A limit is reached"),
    ("bang cach nay", "It cannot be paid in this way"),
    ("vao luc nay", "It cannot be paid now; try again in some hours"),
    ("So hoac the thanh toan", "The number or card that pays is not right"),
    ("Chua xac thuc duoc", "The payment was not confirmed; ask again to buy"),
    ("Chua thanh toan duoc goi", "Not paid yet; it is tried again later"),
    ("dang cho tu thu lai", "Not paid yet; it is tried again later"),
    ("Ma OTP khong con hieu luc", "The code is no longer good; ask again to buy"),
    ("Khong thanh toan duoc goi", "It could not be paid"),
    ("can xac nhan bang ma", "Answer with the code, not with Y"),
    ("khong huy duoc nua", "Agreed to already: it cannot be called off any more"),
    ("dang kiem tra thong tin", "Being looked up"),
    ("dang cho quy khach xac nhan", "Waits for your answer"),
    ("dang xu ly, vui long cho", "Under way"),
    ("dang cap goi", "Paid; the package is being added"),
    ("da mua thanh cong", "Bought"),
    (": da hoan", "The money was given back"),
    ("Da hoan", "The money was given back"),
    (": khong mua.", "Not bought"),
    ("khong co yeu cau nao dang cho", "Nothing waits for an answer"),
    ("khong co yeu cau nao de huy", "There is nothing to call off"),
    ("chua mua goi nao", "Nothing bought yet"),
    ("qua nhieu ma", "Too many codes asked for; try again in an hour"),
    ("De mua, soan", "How to buy, to ask how it stands, and to call it off"),
    ("Sai cu phap", "Not understood; an example follows"),
    ("sai ten dich vu", "The service is missing or wrong; an example follows"),
    ("sai ten goi", "The package is missing or wrong; an example follows"),
    ("Sai so tai khoan", "That is no account; an example follows"),
    ("Ma xac nhan khong dung dang", "That is no code; an example follows"),
    ("Tin nhan den khong day du", "A part of the message is missing; write it again"),
    ("Chon dich vu", "Choose a service"),
    ("chon goi:", "Choose a package"),
    ("Mua cho:", "For whom? 1: for yourself, 2: for another number"),
    ("Nhap so dien thoai", "Type the number that gets it"),
    ("Dong y mua", "The offer: agree here, and the phone pays"),
    ("Ma xac nhan se gui", "Taken. A code is texted: answer it to buy"),
    ("Link thanh toan se gui", "Taken. A link to pay at is texted"),
    ("Ket qua se bao", "Taken. The result is texted"),
    ("chua dung duoc dich vu", "This number cannot use the service"),
    ("khong con ban", "The package is no longer sold"),
    ("Phien da het", "The dialogue is over; dial again"),
    ("chua co goi nao", "Nothing is sold at the moment"),
    ("Ma dich vu nay", "Nothing is served under this code"),
    ("Khong nhan ra so", "The number is not known"),
    ("Hen gap lai", "Goodbye"),
];

/// What stands before or beside it.
const AND: &[(&str, &str)] = &[("Chon chua dung.", "No such choice. "), (" chua dung.", "That is no number. ")];
const NOT_CHARGED: &[&str] = &["chua bi tru tien", "CHUA bi tru tien", "khong bi tru tien."];

pub(super) fn gloss(text: &str) -> Option<String> {
    let (_, says) = SAYS.iter().find(|(phrase, _)| text.contains(phrase))?;
    let before = AND.iter().find(|(phrase, _)| text.contains(phrase)).map_or("", |(_, says)| says);
    let not_charged = NOT_CHARGED.iter().any(|phrase| text.contains(phrase));
    let after = if not_charged { ". Nothing was charged" } else { "" };
    Some(format!("{before}{says}{after}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_text_and_screen_is_told_in_english() {
        for text in crate::replies::built_in() {
            assert!(gloss(text).is_some(), "{text}");
        }
        let screens = include_str!("../../../tests/golden/ussd_screens.txt");
        let shown = screens.split("\n\n").filter(|screen| screen.contains("    | "));
        assert!(shown.clone().count() > 10);
        for screen in shown {
            assert!(gloss(screen).is_some(), "{screen}");
        }
    }

    #[test]
    fn no_phrase_is_hidden_behind_another() {
        let texts: Vec<&str> = crate::replies::built_in().collect();
        let screens = include_str!("../../../tests/golden/ussd_screens.txt");
        for (phrase, says) in SAYS {
            let is_told = |text: &str| gloss(text).is_some_and(|gloss| gloss.contains(says));
            let first = texts.iter().any(|text| text.contains(phrase) && is_told(text));
            assert!(first || screens.contains(phrase), "{phrase}");
        }
    }

    #[test]
    fn what_was_not_charged_is_said_so_and_a_wrong_choice_too() {
        let said = |text| gloss(text).unwrap_or_default();
        assert_eq!(
            said("Sai so tai khoan. Quy khach chua bi tru tien."),
            "That is no account; an example follows. Nothing was charged."
        );
        assert_eq!(said("Chon chua dung.\nChon dich vu:\n1. VIP"), "No such choice. Choose a service.");
        assert_eq!(gloss("hello"), None);
    }
}
