//! The sandbox from outside: started in this process, used over HTTP alone.

#[cfg(test)]
mod access;
#[cfg(test)]
mod captures;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod data;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fresh;
#[cfg(test)]
mod hands;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod page;
#[cfg(test)]
mod people;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod webhooks;
