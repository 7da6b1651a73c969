//! Reassembly, byte by byte and at once; hostile lengths.

use super::*;

fn frame(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes()[..], message].concat()
}

/// Feeds `bytes` in pieces of at most `piece`, and returns the messages.
fn feed(frames: &mut Frames, mut bytes: &[u8], piece: usize) -> Result<Vec<Vec<u8>>, TransportError> {
    let mut messages = Vec::new();
    loop {
        while let Some(message) = frames.next()? {
            messages.push(message);
        }
        if bytes.is_empty() {
            return Ok(messages);
        }
        let space = frames.space();
        assert!(!space.is_empty());
        let count = space.len().min(piece).min(bytes.len());
        space[..count].copy_from_slice(&bytes[..count]);
        frames.filled(count);
        bytes = &bytes[count..];
    }
}

/// The network cuts the stream anywhere: the messages are the same whatever the pieces.
#[test]
fn messages_do_not_depend_on_how_the_stream_is_cut() {
    let lengths = [0, 1, 5, 0, INBOX_BYTES - 4, INBOX_BYTES - 3, INBOX_BYTES, 1_000, FIRST_BYTES + 1, 300_001, 2];
    let messages: Vec<Vec<u8>> = (1u8..).zip(lengths).map(|(byte, length)| vec![byte; length]).collect();
    let stream: Vec<u8> = messages.iter().flat_map(|message| frame(message)).collect();
    for piece in [1, 2, 3, 7, 1_200, INBOX_BYTES, usize::MAX] {
        let mut frames = Frames::new();
        assert!(feed(&mut frames, &stream, piece).unwrap() == messages, "in pieces of {piece}");
        frames.end().unwrap();
    }
}

/// A peer claims 4 GiB, or one byte too many: refused at the length, and from then on.
#[test]
fn a_length_over_the_bound_is_refused_at_once() {
    for length in [u32::MAX, MAX_MESSAGE_BYTES as u32 + 1] {
        let mut frames = Frames::new();
        for _ in 0..2 {
            let error = feed(&mut frames, &length.to_be_bytes(), 4).unwrap_err();
            assert!(matches!(error, TransportError::TooLarge(claimed) if claimed == u64::from(length)));
        }
    }
}

/// A peer claims the most that is allowed and sends a little of it: memory follows what it sends, not what it claims.
#[test]
fn memory_follows_what_has_arrived() {
    let mut frames = Frames::new();
    let mut sent = 0;
    feed(&mut frames, &(MAX_MESSAGE_BYTES as u32).to_be_bytes(), 4).unwrap();
    while sent < MAX_MESSAGE_BYTES / 2 {
        feed(&mut frames, &[7; 50_000], 1_200).unwrap();
        sent += 50_000;
        let held = frames.partial.as_ref().unwrap().bytes.capacity();
        assert!(held <= FIRST_BYTES.max(2 * sent), "{held} bytes are held for {sent}");
    }
}

/// The stream ends inside a length, or inside a message, before or after its first byte.
#[test]
fn an_end_inside_a_message_is_noticed() {
    let whole = frame(&[1; 40_000]);
    for length in [1, 3, 4, 5, 30_000, whole.len() - 1] {
        let mut frames = Frames::new();
        assert!(feed(&mut frames, &whole[..length], usize::MAX).unwrap().is_empty());
        assert!(matches!(frames.end(), Err(TransportError::Truncated)), "after {length} bytes");
    }
}
