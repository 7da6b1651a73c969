//! Tests of the facade, as an app developer meets it.

mod readme;
