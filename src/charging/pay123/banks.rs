//! The banks that can be paid from through 123PAY, as data (seed 004, section V). A code that is not here is another bank's,
//! and no fault.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bank {
    /// `bankCode`.
    pub code: &'static str,
    pub name: &'static str,
}

const fn bank(code: &'static str, name: &'static str) -> Bank {
    Bank { code, name }
}

pub const BANKS: [Bank; 30] = [
    bank("123PGPB", "Ngân Hàng Dầu Khí Toàn Cầu (GPBank)"),
    bank("123PNAB", "Ngân hàng TMCP Nam Á (Nam A Bank)"),
    bank("123PPGB", "Ngân hàng TMCP Xăng dầu Petrolimex (PG Bank)"),
    bank("123PSGB", "Ngân hàng TMCP Sài Gòn Công Thương (SaigonBank)"),
    bank("123PAGB", "Ngân hàng Nông nghiệp và Phát triển Nông thôn Việt Nam (Agribank)"),
    bank("123PSCB", "Ngân hàng Sài Gòn Thương Tín (Sacombank)"),
    bank("123PABB", "Ngân hàng TMCP An Bình (ABBANK)"),
    bank("123PBIDV", "Ngân hàng TMCP Đầu tư và Phát triển Việt Nam (BIDV)"),
    bank("123PEIB", "Ngân hàng Xuất Nhập Khẩu Việt Nam (Eximbank)"),
    bank("123PSEAB", "Ngân hàng Thương Mại Cổ Phần Đông Nam Á (SeABank)"),
    bank("123PSHB", "Ngân hàng TMCP Sài Gòn – Hà Nội (SHB)"),
    bank("123PVTB", "Ngân hàng Công Thương Việt Nam (Vietinbank)"),
    bank("123PDAB", "Ngân Hàng TMCP Đông Á (DongABank)"),
    bank("123PBAB", "Ngân hàng TMCP Bắc Á"),
    bank("123POCEB", "Ngân hàng TMCP Đại Dương (OceanBank)"),
    bank("123PVAB", "Ngân hàng TMCP Việt Á"),
    bank("123PMRTB", "Ngân hàng TMCP Hàng Hải (Maritime Bank)"),
    bank("123PNVB", "Ngân hàng TMCP Nam Việt (NaviBank)"),
    bank("123PHDB", "Ngân Hàng TMCP Phát Triển TPHCM (HDBank)"),
    bank("123PACB", "Ngân hàng Á Châu (ACB)"),
    bank("123PMB", "Ngân hàng quân đội (MB)"),
    bank("123PVIB", "Ngân hàng quốc tế (VIB)"),
    bank("123PTCB", "Ngân hàng Kỹ Thương Việt Nam (Techcombank)"),
    bank("123PVCB", "Ngân hàng Ngoại Thương Việt Nam (Vietcombank)"),
    bank("123PVPB", "Ngân hàng Việt Nam Thịnh Vượng (VPBank)"),
    bank("123PLPB", "Ngân hàng Thương mại Cổ phần Bưu điện Liên Việt (LienVietPostBank)"),
    bank("123PBVB", "Ngân hàng TMCP Bảo Việt (BAOVIET Bank)"),
    bank("123POCB", "Ngân Hàng TMCP Phương Đông Việt Nam (OCB)"),
    bank("123PTPB", "Ngân hàng Tiền Phong (Tien Phong Bank)"),
    // JCB stands in the bank list and is not taken (seed 004, FAQ 7).
    bank("123PCC", "Master Card, Visa Card, JCB"),
];

/// The bank's name, or the code where it is none of these.
#[must_use]
pub fn name_of(code: &str) -> &str {
    BANKS.iter().find(|bank| bank.code == code).map_or(code, |bank| bank.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_bank_stands_once_and_begins_as_123pay_codes_do() {
        let codes: HashSet<&str> = BANKS.iter().map(|bank| bank.code).collect();
        assert_eq!(codes.len(), BANKS.len());
        assert!(BANKS.iter().all(|bank| bank.code.starts_with("123P") && bank.code.len() <= 20));
        assert_eq!(name_of("123PVTB"), "Ngân hàng Công Thương Việt Nam (Vietinbank)");
        assert_eq!(name_of("123PXYZ"), "123PXYZ");
    }
}
