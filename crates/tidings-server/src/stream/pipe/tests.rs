use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// What one end has written and the other has not read.
#[derive(Default)]
struct Model {
    bytes: VecDeque<u8>,
    is_ended: bool,
    is_refused: bool,
}

impl Model {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, io::ErrorKind> {
        if self.is_ended || self.is_refused {
            return Err(io::ErrorKind::BrokenPipe);
        }
        let count = bytes.len().min(PIPE_BYTES - self.bytes.len());
        if count == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock);
        }
        self.bytes.extend(&bytes[..count]);
        Ok(count)
    }

    fn read(&mut self, most: usize) -> Result<Vec<u8>, io::ErrorKind> {
        if self.is_refused {
            return Ok(Vec::new());
        }
        if self.bytes.is_empty() && !self.is_ended && most > 0 {
            return Err(io::ErrorKind::WouldBlock);
        }
        let count = most.min(self.bytes.len());
        Ok(self.bytes.drain(..count).collect())
    }
}

#[derive(Debug, Clone)]
enum Step {
    Write { bytes: usize, cut: usize },
    Read(usize),
    Shut(Shutdown),
    Drop,
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || prop_oneof![0..9_usize, 0..PIPE_BYTES + 9];
    prop_oneof![
        10 => (amount(), amount()).prop_map(|(bytes, cut)| Step::Write { bytes, cut: cut.min(bytes) }),
        10 => amount().prop_map(Step::Read),
        1 => prop_oneof![
            Just(Shutdown::Read),
            Just(Shutdown::Write),
            Just(Shutdown::Both)
        ].prop_map(Step::Shut),
        1 => Just(Step::Drop),
    ]
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

proptest! {
    #[test]
    fn it_does_what_two_queues_with_their_ends_do(
        steps in proptest::collection::vec((0..2_usize, step()), 0..60),
    ) {
        let (a, b) = Pipe::pair();
        let mut ends = [Some(a), Some(b)];
        let mut models = [Model::default(), Model::default()];
        let mut next = 0_u8;
        for (end, step) in steps {
            let Some(pipe) = &ends[end] else { continue };
            match step {
                Step::Write { bytes, cut } => {
                    let bytes: Vec<_> = (0..bytes).map(|at| next.wrapping_add(at as u8)).collect();
                    let slices = [IoSlice::new(&bytes[..cut]), IoSlice::new(&bytes[cut..])];
                    let written = pipe.try_write(&slices).map_err(|error| error.kind());
                    prop_assert_eq!(written, models[end].write(&bytes));
                    next = next.wrapping_add(written.unwrap_or(0) as u8);
                }
                Step::Read(most) => {
                    let mut bytes = vec![0; most];
                    let read = pipe.try_read(&mut bytes).map_err(|error| error.kind());
                    let read = read.map(|count| bytes[..count].to_vec());
                    prop_assert_eq!(read, models[1 - end].read(most));
                }
                Step::Shut(sides) => {
                    pipe.shut(sides);
                    models[end].is_ended |= sides != Shutdown::Read;
                    models[1 - end].is_refused |= sides != Shutdown::Write;
                }
                Step::Drop => {
                    ends[end] = None;
                    models[end].is_ended = true;
                    models[1 - end].is_refused = true;
                }
            }
        }
    }
}

#[test]
fn who_waits_is_woken_by_what_it_waits_for() {
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    let (near, far) = Pipe::pair();

    assert!(near.poll_read_ready(&mut context).is_pending());
    far.try_write(&[IoSlice::new(b"a")]).expect("there is room");
    assert_eq!(count.take(), 1);
    assert!(near.poll_read_ready(&mut context).is_ready());

    let full = vec![0; PIPE_BYTES];
    assert_eq!(
        near.try_write(&[IoSlice::new(&full)]).ok(),
        Some(PIPE_BYTES)
    );
    assert!(near.poll_write_ready(&mut context).is_pending());
    far.try_read(&mut [0]).expect("it is full");
    assert_eq!(count.take(), 1);
    assert!(near.poll_write_ready(&mut context).is_ready());

    near.try_read(&mut [0]).expect("one byte is there");
    assert!(near.poll_read_ready(&mut context).is_pending());
    far.shut(Shutdown::Write);
    assert_eq!(count.take(), 1);

    near.try_write(&[IoSlice::new(b"a")])
        .expect("there is room for one");
    assert!(near.poll_write_ready(&mut context).is_pending());
    let mut refused = Box::pin(near.refused());
    assert!(refused.as_mut().poll(&mut context).is_pending());
    drop(far);
    assert_eq!(count.take(), 2);
    assert!(refused.as_mut().poll(&mut context).is_ready());
}

#[test]
fn an_empty_pipe_holds_no_memory() {
    let (near, far) = Pipe::pair();
    near.try_write(&[IoSlice::new(&[1; PIPE_BYTES])])
        .expect("it is empty");
    let mut read = vec![0; PIPE_BYTES];
    far.try_read(&mut read).expect("it is full");
    assert_eq!(lock(far.incoming()).bytes.capacity(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_goes_through_it_both_ways_between_threads() {
    const BYTES: usize = 20 * PIPE_BYTES;
    let (near, far) = Pipe::pair();
    let talk = |pipe: Pipe| async move {
        let sent: Vec<_> = (0..BYTES).map(|at| (at % 251) as u8).collect();
        let (mut reader, mut writer) = tokio::io::split(pipe);
        let write = async {
            writer.write_all(&sent).await?;
            writer.shutdown().await
        };
        let mut heard = Vec::new();
        let (written, read) = tokio::join!(write, reader.read_to_end(&mut heard));
        written.expect("the other end reads");
        read.expect("it ends");
        assert!(heard == sent);
    };
    let (near, far) = (tokio::spawn(talk(near)), tokio::spawn(talk(far)));
    near.await.expect("it heard all");
    far.await.expect("it heard all");
}
