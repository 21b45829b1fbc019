//! What a process costs, from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::time::Instant;

use serde::Serialize;

use crate::error::BenchError;

/// Clock ticks per second in `/proc/PID/stat`: USER_HZ is 100 on every Linux architecture in use.
const TICKS_PER_SECOND: f64 = 100.0;

/// Below this many ticks the split into user and system says little.
const ENOUGH_TICKS: f64 = 100.0;

/// The CPU clocks of a process at one moment.
#[derive(Debug, Clone)]
pub(crate) struct CpuSample {
    at: Instant,
    user_ticks: u64,
    system_ticks: u64,
    /// Nanoseconds on a core of each live thread; empty where the kernel does not say.
    threads: HashMap<u32, u64>,
}

/// CPU time of a process between two samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CpuTime {
    /// Wall-clock seconds between the samples.
    pub wall_seconds: f64,
    /// User and system time of all threads.
    pub cpu_seconds: f64,
    /// Percent of one core.
    pub percent_of_core: f64,
    /// Share of the time in user mode, 0 to 1; absent when there were too few clock ticks to tell.
    pub user_share: Option<f64>,
    /// Where the time comes from.
    pub source: CpuSource,
}

/// Where a CPU time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CpuSource {
    /// Nanoseconds from `/proc/PID/task/*/schedstat`.
    Schedstat,
    /// Hundredths of a second from `/proc/PID/stat`.
    ClockTicks,
}

/// Memory of a process, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Memory {
    /// Resident set, `VmRSS`.
    pub rss_kib: u64,
    /// Resident set with shared pages divided among those who share them, `Pss`.
    pub pss_kib: u64,
    /// Pages that belong to no file, `Anonymous`: heap and stacks.
    pub anonymous_kib: u64,
}

impl CpuSample {
    pub(crate) fn of(pid: u32) -> Result<Self, BenchError> {
        let path = format!("/proc/{pid}/stat");
        let (user_ticks, system_ticks) =
            parse_stat(&read(&path)?).ok_or_else(|| unexpected(&path))?;
        Ok(Self {
            at: Instant::now(),
            user_ticks,
            system_ticks,
            threads: thread_times(pid),
        })
    }

    /// The time since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> CpuTime {
        let user = self.user_ticks.saturating_sub(earlier.user_ticks) as f64;
        let system = self.system_ticks.saturating_sub(earlier.system_ticks) as f64;
        let ticks = user + system;
        let (cpu_seconds, source) = match self.threads_since(earlier) {
            Some(nanoseconds) => (nanoseconds as f64 / 1e9, CpuSource::Schedstat),
            None => (ticks / TICKS_PER_SECOND, CpuSource::ClockTicks),
        };
        let wall_seconds = self.at.duration_since(earlier.at).as_secs_f64();
        CpuTime {
            wall_seconds,
            cpu_seconds,
            percent_of_core: 100.0 * cpu_seconds / wall_seconds.max(f64::MIN_POSITIVE),
            user_share: (ticks >= ENOUGH_TICKS).then(|| user / ticks),
            source,
        }
    }

    /// Nanoseconds of all threads; `None` when a thread ended in between and took its time with it.
    fn threads_since(&self, earlier: &Self) -> Option<u64> {
        if self.threads.is_empty()
            || earlier.threads.is_empty()
            || earlier
                .threads
                .keys()
                .any(|thread| !self.threads.contains_key(thread))
        {
            return None;
        }
        let before = |thread| earlier.threads.get(thread).copied().unwrap_or(0);
        let spent = self
            .threads
            .iter()
            .map(|(thread, time)| time.saturating_sub(before(thread)));
        Some(spent.sum())
    }
}

impl Memory {
    pub(crate) fn of(pid: u32) -> Result<Self, BenchError> {
        let rollup_path = format!("/proc/{pid}/smaps_rollup");
        let rollup = read(&rollup_path)?;
        let field = |name| parse_kib(&rollup, name).ok_or_else(|| unexpected(&rollup_path));
        Ok(Self {
            rss_kib: rss_kib(pid)?,
            pss_kib: field("Pss:")?,
            anonymous_kib: field("Anonymous:")?,
        })
    }
}

/// `VmRSS` alone: cheap enough to ask for while messages flow.
pub(crate) fn rss_kib(pid: u32) -> Result<u64, BenchError> {
    let path = format!("/proc/{pid}/status");
    parse_kib(&read(&path)?, "VmRSS:").ok_or_else(|| unexpected(&path))
}

fn thread_times(pid: u32) -> HashMap<u32, u64> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return HashMap::new();
    };
    tasks
        .flatten()
        .filter_map(|task| {
            let thread = task.file_name().to_str()?.parse().ok()?;
            let schedstat = fs::read_to_string(task.path().join("schedstat")).ok()?;
            let nanoseconds = schedstat.split(' ').next()?.parse().ok()?;
            Some((thread, nanoseconds))
        })
        .collect()
}

/// User and system ticks: fields 14 and 15; the second field, the name in parentheses, may hold spaces.
fn parse_stat(stat: &str) -> Option<(u64, u64)> {
    let after_name = &stat[stat.rfind(')')? + 1..];
    let mut fields = after_name.split_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn parse_kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line[name.len()..].split_whitespace().next()?.parse().ok()
}

fn read(path: &str) -> Result<String, BenchError> {
    fs::read_to_string(path).map_err(|error| BenchError::Proc {
        path: path.to_owned(),
        cause: error.to_string(),
    })
}

fn unexpected(path: &str) -> BenchError {
    BenchError::Proc {
        path: path.to_owned(),
        cause: "a field is missing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 2227 37169 0 4 62 149 0 1 20 0";
        assert_eq!(parse_stat(stat), Some((62, 149)));
    }

    #[test]
    fn a_thread_that_ended_makes_the_ticks_count() {
        let sample = |user_ticks, threads: &[(u32, u64)]| CpuSample {
            at: Instant::now(),
            user_ticks,
            system_ticks: 0,
            threads: threads.iter().copied().collect(),
        };
        let before = sample(100, &[(1, 5), (2, 7)]);
        let grown = sample(300, &[(1, 1_000_000_005), (2, 7), (3, 500_000_000)]).since(&before);
        assert_eq!(
            (grown.cpu_seconds, grown.source),
            (1.5, CpuSource::Schedstat)
        );
        assert_eq!(grown.user_share, Some(1.0));
        let ended = sample(300, &[(1, 1_000_000_005)]).since(&before);
        assert_eq!(
            (ended.cpu_seconds, ended.source),
            (2.0, CpuSource::ClockTicks)
        );
    }

    #[test]
    fn this_process_can_be_read() {
        let pid = std::process::id();
        assert!(CpuSample::of(pid).is_ok());
        let memory = Memory::of(pid).expect("memory of this process");
        assert!(memory.rss_kib >= memory.anonymous_kib && memory.anonymous_kib > 0);
    }
}
