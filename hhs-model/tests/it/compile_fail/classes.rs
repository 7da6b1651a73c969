//! Objects without a class that peers would take.

use hhs_model::Object;

#[derive(Object)]
struct None {
    text: String,
}

#[derive(Object)]
#[object(validate = check)]
struct OnlyValidated {
    text: String,
}

#[derive(Object)]
#[object(class = "")]
struct Empty {
    text: String,
}

#[derive(Object)]
#[object(class = "test/v1/\n")]
struct Control {
    text: String,
}

#[derive(Object)]
#[object(class = "test/v1/Twice", class = "test/v2/Twice")]
struct Twice {
    text: String,
}

fn main() {}
