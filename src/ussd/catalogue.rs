//! What is on sale, as the package manager's list says it: read at start and again when it is old, in the background. The
//! price that is charged is never taken from it.

use super::screens::label;
use crate::package_manager::{Client, OnSale};
use crate::replies::price;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Services in the order of the first menu, each with its packages. Nothing in it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    pub(super) services: Vec<Service>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) code: String,
    pub(super) packages: Vec<Package>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) code: String,
    /// As a screen shows them.
    pub(super) name: String,
    pub(super) price: String,
    pub(super) days: String,
}

impl Catalogue {
    /// Of a list; `services` are the ones to be shown, in their order, or all where it is empty.
    #[must_use]
    pub fn new(list: Vec<OnSale>, services: &[String]) -> Self {
        let mut catalogue = Self::default();
        for service in services {
            catalogue.service(service);
        }
        for sold in list {
            let known = catalogue.services.iter().any(|service| service.code.eq_ignore_ascii_case(&sold.service));
            if !known && !services.is_empty() {
                continue;
            }
            let service = catalogue.service(&sold.service);
            // The package manager's own spelling is what it is asked with.
            service.code = sold.service;
            service.packages.push(Package {
                name: label(&sold.name),
                price: price(sold.price),
                days: sold.days.to_string(),
                code: sold.code,
            });
        }
        catalogue.services.retain(|service| !service.packages.is_empty());
        catalogue
    }

    fn service(&mut self, code: &str) -> &mut Service {
        let at = self.services.iter().position(|service| service.code.eq_ignore_ascii_case(code));
        let at = at.unwrap_or_else(|| {
            self.services.push(Service { code: code.to_owned(), packages: Vec::new() });
            self.services.len() - 1
        });
        &mut self.services[at]
    }

    pub(super) fn find_service(&self, code: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.code.eq_ignore_ascii_case(code))
    }

    pub(super) fn find(&self, service: &str, package: &str) -> Option<&Package> {
        self.find_service(service)?.find(package)
    }

    /// The one package of this code, whichever service it is of.
    pub(super) fn find_anywhere(&self, package: &str) -> Option<(&Service, &Package)> {
        let mut found = self.services.iter().filter_map(|service| Some((service, service.find(package)?)));
        found.next().filter(|_| found.next().is_none())
    }

    /// Nothing can be bought.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// Those of the wanted services that nothing is sold of.
    #[must_use]
    pub fn missing<'s>(&self, services: &'s [String]) -> Vec<&'s str> {
        services.iter().map(String::as_str).filter(|code| self.find_service(code).is_none()).collect()
    }
}

impl Service {
    pub(super) fn find(&self, code: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.code.eq_ignore_ascii_case(code))
    }
}

/// The list of one instance, `None` until it was read once. A list that cannot be read anew stays as it is.
pub(super) async fn keep(
    list: watch::Sender<Option<Arc<Catalogue>>>,
    package_manager: Arc<Client>,
    services: Vec<String>,
    max_age: Duration,
    retry: Duration,
) {
    let mut told = None;
    loop {
        let read = package_manager.packages().await.map(|sold| Arc::new(Catalogue::new(sold, &services)));
        let state = match &read {
            Ok(catalogue) => Ok(catalogue.missing(&services).join(", ")),
            Err(error) => Err(error.clone()),
        };
        let pause = match read {
            Ok(catalogue) => {
                list.send_replace(Some(catalogue));
                max_age
            }
            Err(_) => retry,
        };
        // Once for each change: the list is asked for again and again.
        if told.as_ref() != Some(&state) {
            tell(&state);
            told = Some(state);
        }
        tokio::time::sleep(pause).await;
    }
}

/// How the list stands: what nothing is sold of, or what was heard instead of it.
fn tell(state: &Result<String, String>) {
    match state {
        Ok(missing) if missing.is_empty() => {
            tracing::info!("the package manager's list is read; the menu has all of it")
        }
        Ok(missing) => tracing::warn!(missing, "nothing of these services is on sale; the menu is without them"),
        Err(error) => tracing::warn!(error, "the package manager's list cannot be read; the menu stays as it was"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purchase::money::{Currency, Money};

    fn sold(service: &str, code: &str) -> OnSale {
        let (service, code, name) = (service.to_owned(), code.to_owned(), "Gói ngày".to_owned());
        OnSale { service, code, name, price: Money::new(10_000, Currency::VND), days: 30 }
    }

    fn codes(catalogue: &Catalogue) -> String {
        let service = |service: &Service| {
            let packages: Vec<&str> = service.packages.iter().map(|package| package.code.as_str()).collect();
            format!("{} {}", service.code, packages.join(","))
        };
        catalogue.services.iter().map(service).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_first_menu_has_the_services_in_the_order_that_was_asked_for() {
        let list = vec![sold("FILM", "NGAY"), sold("VIP", "NAP1"), sold("FILM", "TUAN"), sold("THU", "LOI1")];
        assert_eq!(codes(&Catalogue::new(list.clone(), &[])), "FILM NGAY,TUAN; VIP NAP1; THU LOI1");
        let wanted = ["vip", "FILM", "NHAC"].map(str::to_owned);
        let catalogue = Catalogue::new(list, &wanted);
        assert_eq!(codes(&catalogue), "VIP NAP1; FILM NGAY,TUAN");
        assert_eq!(catalogue.missing(&wanted), ["NHAC"]);
    }

    #[test]
    fn a_package_of_two_services_is_not_found_by_its_code_alone() {
        let catalogue = Catalogue::new(vec![sold("FILM", "NGAY"), sold("VIP", "NGAY"), sold("VIP", "NAP1")], &[]);
        assert!(catalogue.find_anywhere("NGAY").is_none());
        assert!(
            catalogue
                .find_anywhere("nap1")
                .is_some_and(|(service, package)| { service.code == "VIP" && package.name == "Goi ngay" })
        );
    }
}
