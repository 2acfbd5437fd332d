//! The built-in words, unaccented Vietnamese within GSM 7-bit. Text only: which text is sent is decided elsewhere.

/// Name in `[replies]`, the placeholders it may use, and the words.
pub(super) struct Words {
    pub(super) name: &'static str,
    pub(super) placeholders: &'static [&'static str],
    pub(super) text: &'static str,
}

/// What every text about a purchase may name.
const PURCHASE: &[&str] = &["package", "name", "price", "days", "account", "short_code", "hotline", "reference"];
const OFFER: &[&str] =
    &["package", "name", "price", "days", "account", "short_code", "hotline", "reference", "minutes", "cancel"];
const PAY: &[&str] =
    &["package", "name", "price", "days", "account", "short_code", "hotline", "reference", "minutes", "pay_url"];
const OTP: &[&str] =
    &["package", "name", "price", "days", "account", "short_code", "hotline", "reference", "minutes", "cancel", "otp"];
const WRONG: &[&str] = &["package", "name", "price", "days", "account", "short_code", "hotline", "reference", "tries"];
const PUT_OFF: &[&str] =
    &["package", "name", "price", "days", "account", "short_code", "hotline", "reference", "cancel", "wait"];
const PLAIN: &[&str] = &["short_code", "hotline"];
const EXAMPLE: &[&str] = &["short_code", "hotline", "example"];

pub(super) const WORDS: &[Words] = &[
    words(
        "otp",
        OTP,
        "Ma {otp}: mua goi {package} gia {price} dung {days} ngay cho {account}. Soan {otp} gui {short_code} trong {minutes} phut. Khong mua: soan {cancel}",
    ),
    words(
        "otp_repeat",
        OTP,
        "Quy khach VUA MUA goi {package} cho {account}. Mua THEM lan nua gia {price}: soan {otp} gui {short_code} trong {minutes} phut. Khong mua: soan {cancel}",
    ),
    words(
        "offer_channel_code",
        OFFER,
        "Mua goi {package} gia {price} dung {days} ngay cho {account}: soan ma OTP nha mang vua gui, gui {short_code}. Khong mua: soan {cancel}",
    ),
    words(
        "offer_channel_code_repeat",
        OFFER,
        "Quy khach VUA MUA goi {package} cho {account}. Mua THEM gia {price}: soan ma OTP nha mang vua gui, gui {short_code}. Khong mua: soan {cancel}",
    ),
    words(
        "offer_yes",
        OFFER,
        "Mua goi {package} gia {price} dung {days} ngay cho {account}: soan Y gui {short_code} trong {minutes} phut. Khong mua: soan {cancel}",
    ),
    words(
        "offer_yes_repeat",
        OFFER,
        "Quy khach VUA MUA goi {package} cho {account}. Mua THEM lan nua gia {price}: soan Y gui {short_code} trong {minutes} phut. Khong mua: soan {cancel}",
    ),
    words(
        "pay_at",
        PAY,
        "Mua goi {package} gia {price} dung {days} ngay cho {account}: thanh toan tai {pay_url} trong {minutes} phut",
    ),
    words(
        "pay_at_repeat",
        PAY,
        "Quy khach VUA MUA goi {package} cho {account}. Mua THEM gia {price}: thanh toan tai {pay_url} trong {minutes} phut",
    ),
    words(
        "code_again",
        OFFER,
        "Goi {package} gia {price}: ma chua duoc nhan, quy khach CHUA bi tru tien. Soan lai ma OTP gui {short_code}. Khong mua: soan {cancel}",
    ),
    words("wrong_code", WRONG, "Ma khong dung cho goi {package}. Con {tries} lan thu. Quy khach chua bi tru tien."),
    words(
        "codes_used_up",
        PURCHASE,
        "Ma sai qua so lan cho phep, yeu cau mua goi {package} da huy. Quy khach chua bi tru tien.",
    ),
    words(
        "expired",
        PURCHASE,
        "Da het han xac nhan mua goi {package}. Quy khach chua bi tru tien. Muon mua, vui long soan lai.",
    ),
    words("cancelled", PURCHASE, "Da huy yeu cau mua goi {package}. Quy khach khong bi tru tien."),
    words(
        "done",
        PURCHASE,
        "Thanh cong: goi {package} dung {days} ngay cho {account}, da tru {price}. Ma GD {reference}. Ho tro {hotline}",
    ),
    words(
        "done_by_hand",
        PURCHASE,
        "Thanh cong: da cap goi {package} cho {account}, da tru {price}. Ma GD {reference}. Ho tro {hotline}",
    ),
    words(
        "checking",
        PURCHASE,
        "Giao dich goi {package} dang duoc kiem tra. Vui long KHONG nhan lai, quy khach khong bi tru tien hai lan. Ma GD {reference}",
    ),
    words("refunded", PURCHASE, "Khong cap duoc goi {package}, da hoan {price}. Ma GD {reference}. Ho tro {hotline}"),
    words("refunded_granted", PURCHASE, "Da hoan {price} cua goi {package}. Ma GD {reference}. Ho tro {hotline}"),
    words(
        "busy",
        PURCHASE,
        "He thong ban, yeu cau mua goi {package} chua thuc hien. Quy khach chua bi tru tien. Vui long thu lai sau.",
    ),
    words(
        "refused_no_account",
        PURCHASE,
        "Tai khoan {account} khong co hoac sai. Quy khach chua bi tru tien. Vui long kiem tra va soan lai.",
    ),
    words(
        "refused_no_package",
        PURCHASE,
        "Khong co goi {package}. Quy khach chua bi tru tien. Soan HD gui {short_code} de xem huong dan.",
    ),
    words(
        "refused_blocked",
        PURCHASE,
        "Tai khoan {account} dang bi khoa. Quy khach chua bi tru tien. Ho tro {hotline}",
    ),
    words(
        "refused",
        PURCHASE,
        "Tai khoan {account} khong duoc mua goi {package}. Quy khach chua bi tru tien. Ho tro {hotline}",
    ),
    words(
        "declined_no_money",
        PURCHASE,
        "Khong du tien mua goi {package} gia {price}. Quy khach chua bi tru tien. Vui long nap them va soan lai.",
    ),
    words(
        "declined_limit",
        PURCHASE,
        "Vuot han muc thanh toan khi mua goi {package} gia {price}. Quy khach chua bi tru tien. Vui long thu lai sau.",
    ),
    words(
        "declined_stop",
        PURCHASE,
        "Khong thanh toan duoc goi {package} bang cach nay. Quy khach chua bi tru tien. Vui long chon cach thanh toan khac. Ho tro {hotline}",
    ),
    words(
        "declined_wait",
        PURCHASE,
        "Khong thanh toan duoc goi {package} vao luc nay. Quy khach chua bi tru tien. Vui long thu lai sau it gio.",
    ),
    words(
        "declined_account",
        PURCHASE,
        "So hoac the thanh toan goi {package} khong dung. Quy khach chua bi tru tien. Vui long dung thue bao hoac the khac.",
    ),
    words(
        "declined_auth",
        PURCHASE,
        "Chua xac thuc duoc thanh toan goi {package}. Quy khach chua bi tru tien. Muon mua, soan lai va xac nhan bang ma moi.",
    ),
    words(
        "put_off_no_money",
        PUT_OFF,
        "Khong du tien mua goi {package} gia {price}. Quy khach chua bi tru tien. Se tu thu lai sau {wait}. Khong mua nua: soan {cancel} gui {short_code}",
    ),
    words(
        "put_off_limit",
        PUT_OFF,
        "Vuot han muc khi mua goi {package} gia {price}. Quy khach chua bi tru tien. Se tu thu lai sau {wait}. Khong mua nua: soan {cancel} gui {short_code}",
    ),
    words(
        "put_off",
        PUT_OFF,
        "Chua thanh toan duoc goi {package} gia {price}. Quy khach chua bi tru tien. Se tu thu lai sau {wait}. Khong mua nua: soan {cancel} gui {short_code}",
    ),
    words(
        "declined_code",
        PURCHASE,
        "Ma OTP khong con hieu luc, chua mua goi {package}. Quy khach chua bi tru tien. Muon mua, soan lai de nhan ma moi.",
    ),
    words(
        "declined_busy",
        PURCHASE,
        "He thong ban, chua mua duoc goi {package}. Quy khach chua bi tru tien. Vui long thu lai sau.",
    ),
    words(
        "declined",
        PURCHASE,
        "Khong thanh toan duoc goi {package}. Quy khach chua bi tru tien. Vui long goi nha mang, ngan hang hoac {hotline} roi thu lai.",
    ),
    words(
        "late_code",
        PURCHASE,
        "Ma den khi da het han xac nhan goi {package}. Quy khach chua bi tru tien. Muon mua, vui long soan lai.",
    ),
    words(
        "code_needed",
        PURCHASE,
        "Goi {package} can xac nhan bang ma, khong phai Y. Soan ma da nhan gui {short_code}. Quy khach chua bi tru tien.",
    ),
    words(
        "yes_needed",
        PURCHASE,
        "Goi {package} gia {price}: de xac nhan, soan Y gui {short_code}. Quy khach chua bi tru tien.",
    ),
    words(
        "cannot_cancel",
        PURCHASE,
        "Goi {package} cho {account} da duoc xac nhan va dang xu ly, khong huy duoc nua. Ma GD {reference}. Ho tro {hotline}",
    ),
    words(
        "status_requested",
        PURCHASE,
        "Goi {package} cho {account}: dang kiem tra thong tin. Quy khach chua bi tru tien.",
    ),
    words(
        "status_offered",
        PURCHASE,
        "Goi {package} gia {price} cho {account}: dang cho quy khach xac nhan. Quy khach chua bi tru tien.",
    ),
    words(
        "status_open",
        PURCHASE,
        "Goi {package} cho {account}: dang xu ly, vui long cho. Quy khach khong bi tru tien hai lan. Ma GD {reference}",
    ),
    words(
        "status_put_off",
        PUT_OFF,
        "Goi {package} gia {price} cho {account}: chua tru tien, dang cho tu thu lai. Khong mua nua: soan {cancel} gui {short_code}",
    ),
    words(
        "status_paid",
        PURCHASE,
        "Goi {package} cho {account}: da tru {price}, dang cap goi. Ma GD {reference}. Ho tro {hotline}",
    ),
    words(
        "status_done",
        PURCHASE,
        "Goi {package} dung {days} ngay cho {account}: da mua thanh cong, da tru {price}. Ma GD {reference}",
    ),
    words("status_refunded", PURCHASE, "Goi {package}: da hoan {price}. Ma GD {reference}. Ho tro {hotline}"),
    words(
        "status_awaiting_user",
        PAY,
        "Goi {package} gia {price} cho {account}: dang cho quy khach thanh toan tai {pay_url}",
    ),
    words("status_ended", PURCHASE, "Goi {package} cho {account}: khong mua. Quy khach khong bi tru tien."),
    words(
        "no_code_waiting",
        PLAIN,
        "Quy khach khong co yeu cau nao dang cho xac nhan. Soan HD gui {short_code} de xem huong dan.",
    ),
    words("nothing_to_cancel", PLAIN, "Quy khach khong co yeu cau nao de huy. Quy khach khong bi tru tien."),
    words("nothing_bought", PLAIN, "Quy khach chua mua goi nao. Soan HD gui {short_code} de xem huong dan."),
    words(
        "too_many_codes",
        PLAIN,
        "Quy khach da yeu cau qua nhieu ma. Vui long thu lai sau 1 gio. Quy khach chua bi tru tien.",
    ),
    words(
        "help",
        EXAMPLE,
        "De mua, soan {example} gui {short_code}, tra loi ma xac nhan. Xem trang thai: KT. Huy yeu cau: HUY. Ho tro {hotline}",
    ),
    words(
        "invalid_keyword",
        EXAMPLE,
        "Sai cu phap. Vi du: soan {example} gui {short_code}. Quy khach chua bi tru tien. Ho tro {hotline}",
    ),
    words(
        "invalid_service",
        EXAMPLE,
        "Thieu hoac sai ten dich vu. Vi du: soan {example} gui {short_code}. Quy khach chua bi tru tien.",
    ),
    words(
        "invalid_package",
        EXAMPLE,
        "Thieu hoac sai ten goi. Vi du: soan {example} gui {short_code}. Quy khach chua bi tru tien.",
    ),
    words(
        "invalid_account",
        EXAMPLE,
        "Sai so tai khoan. Vi du: soan {example} gui {short_code}. Quy khach chua bi tru tien.",
    ),
    words(
        "invalid_code",
        EXAMPLE,
        "Ma xac nhan khong dung dang. Vi du: soan {example} gui {short_code}. Quy khach chua bi tru tien.",
    ),
    words(
        "incomplete",
        EXAMPLE,
        "Tin nhan den khong day du. Vui long soan lai, vi du {example} gui {short_code}. Quy khach chua bi tru tien.",
    ),
];

const fn words(name: &'static str, placeholders: &'static [&'static str], text: &'static str) -> Words {
    Words { name, placeholders, text }
}
