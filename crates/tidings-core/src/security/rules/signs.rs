//! What tells in a nanosecond that a rule does not apply, so that few are looked at whole.
//!
//! A [`Sign`] may be there though its rule does not apply; where it is missing the rule surely does not.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use smallvec::SmallVec;

use super::target::Target;
use crate::security::Principal;
use crate::security::rule::{ClaimName, Path, Requirement, Unit};

/// Names of claims that signs know; what rules ask of further ones is asked of every rule.
const MAX_CLAIM_NAMES: usize = 8;

/// Hashes texts into signs.
#[derive(Debug, Clone, Default)]
pub(super) struct Hasher {
    build: DefaultHashBuilder,
    claims: Vec<ClaimName>,
}

/// What a rule needs of the target: one of its segments, masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Sign {
    /// Twice the number of the segment, from the end where it is negative; one more where its edges are meant.
    place: i8,
    /// Zero: nothing is needed.
    mask: u64,
    value: u64,
}

/// What a rule needs of the principal: one bit among its [`Traits`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trait(u8);

/// The segments of a target, each by its hash and its edges.
pub(super) struct Marks(SmallVec<[u64; 32]>);

/// Roles, name and claims of a principal, each a bit. The first is always set.
pub(super) struct Traits([u64; 4]);

impl Hasher {
    /// What the rule needs of a target whose certain segments agree: whichever there is, the rarest is for the caller to
    /// choose.
    pub(super) fn signs<'p>(&'p self, path: &'p Path) -> impl Iterator<Item = Sign> + 'p {
        let units = &path.units;
        let first_rest = units.iter().position(Unit::is_rest);
        let last_rest = units.iter().rposition(Unit::is_rest);
        let place = move |at: usize| {
            if first_rest.is_none_or(|rest| at < rest) {
                i8::try_from(at * 2).ok()
            } else if last_rest.is_some_and(|rest| at > rest) {
                i8::try_from((units.len() - at) * 2)
                    .ok()
                    .map(|behind| -behind)
            } else {
                None
            }
        };
        let uncertain = units.iter().enumerate().skip(path.certain);
        uncertain.filter_map(move |(at, unit)| {
            let place = place(at)?;
            match unit {
                Unit::Literal(text) => Some(Sign {
                    place,
                    mask: u64::MAX,
                    value: self.segment(text),
                }),
                Unit::Glob(text) => {
                    let (mask, value) = glob_edges(text);
                    let place = place + 1;
                    Some(Sign { place, mask, value })
                }
                Unit::Any | Unit::Rest => None,
            }
        })
    }

    /// What the rule needs of a principal.
    pub(super) fn needed(&mut self, requirement: Option<Requirement<'_>>) -> Trait {
        match requirement {
            None => Trait::default(),
            Some(Requirement::Role(role)) => self.role(role),
            Some(Requirement::User(name)) => self.user(name),
            Some(Requirement::Claim(name, value)) => {
                let known = self.claims.iter().position(|one| one == name);
                let index = known.unwrap_or(self.claims.len());
                if index >= MAX_CLAIM_NAMES {
                    return Trait::default();
                }
                if known.is_none() {
                    self.claims.push(name.clone());
                }
                self.claim(index, value)
            }
        }
    }

    /// `None` for a pattern with wildcards.
    pub(super) fn marks(&self, target: &Target<'_>) -> Option<Marks> {
        let mut marks = SmallVec::new();
        for unit in &target.units {
            let Unit::Literal(text) = unit else {
                return None;
            };
            marks.extend([self.segment(text), edges(text.as_bytes(), text.as_bytes())]);
        }
        Some(Marks(marks))
    }

    pub(super) fn traits(&self, principal: &Principal) -> Traits {
        let mut traits = Traits([1, 0, 0, 0]);
        for role in &principal.roles {
            traits.insert(self.role(role));
        }
        if let Some(name) = &principal.name {
            traits.insert(self.user(name));
        }
        for (index, name) in self.claims.iter().enumerate() {
            name.each_text(&principal.claims, |text| {
                traits.insert(self.claim(index, text));
            });
        }
        traits
    }

    fn segment(&self, text: &str) -> u64 {
        self.build.hash_one(text)
    }

    fn role(&self, role: &str) -> Trait {
        Trait::of(self.build.hash_one((MAX_CLAIM_NAMES, role)))
    }

    fn user(&self, name: &str) -> Trait {
        Trait::of(self.build.hash_one((MAX_CLAIM_NAMES + 1, name)))
    }

    fn claim(&self, index: usize, text: &str) -> Trait {
        Trait::of(self.build.hash_one((index, text)))
    }
}

impl Sign {
    /// Whether a target may have it.
    pub(super) fn is_in(self, marks: Option<&Marks>) -> bool {
        let Some(Marks(marks)) = marks.filter(|_| self.mask != 0) else {
            return true;
        };
        let at = match usize::try_from(self.place) {
            Ok(at) => Some(at),
            Err(_) => marks.len().checked_add_signed(self.place.into()),
        };
        at.and_then(|at| marks.get(at))
            .is_some_and(|mark| mark & self.mask == self.value)
    }
}

impl Trait {
    fn of(hash: u64) -> Self {
        Self((hash % 255) as u8 + 1)
    }
}

impl Traits {
    /// Whether the principal may have it.
    pub(super) fn have(&self, one: Trait) -> bool {
        self.0[usize::from(one.0 / 64)] >> (one.0 % 64) & 1 == 1
    }

    fn insert(&mut self, one: Trait) {
        self.0[usize::from(one.0 / 64)] |= 1 << (one.0 % 64);
    }
}

/// The first four bytes of one text and the last four of another; zeros where there are fewer.
fn edges(head: &[u8], tail: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let (first, last) = (head.len().min(4), tail.len().min(4));
    bytes[..first].copy_from_slice(&head[..first]);
    bytes[8 - last..].copy_from_slice(&tail[tail.len() - last..]);
    u64::from_le_bytes(bytes)
}

/// Mask and value of the edges of what a segment with wildcards matches.
fn glob_edges(text: &str) -> (u64, u64) {
    let text = text.as_bytes();
    let is_wildcard = |byte: &u8| matches!(byte, b'*' | b'?');
    let head = text.iter().position(is_wildcard).unwrap_or(text.len());
    let tail = text.iter().rposition(is_wildcard).map_or(0, |at| at + 1);
    let (head, tail) = (&text[..head], &text[tail..]);
    let all = [u8::MAX; 4];
    let mask = edges(&all[..head.len().min(4)], &all[..tail.len().min(4)]);
    (mask, edges(head, tail))
}
