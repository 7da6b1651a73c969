//! What a class is made of, as a number.

use super::Replica;

/// Collects what a class is made of, so that a state of it is not read any more once the class is made of something else under the same
/// name. It is the same in programs made of the same source by the same compiler, and for nothing else.
///
/// FNV-1a (Fowler, Noll, Vo): it tells versions of one class apart, and protects from nobody.
#[derive(Debug, Clone)]
pub struct Shape(u64);

impl Shape {
    /// The number of a class.
    pub fn of<R: Replica>() -> u64 {
        let mut shape = Self(BASIS);
        R::shape(&mut shape);
        shape.0
    }

    /// Adds a name.
    pub fn name(&mut self, name: &str) -> &mut Self {
        // What ends a name stands in no text.
        for byte in name.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(PRIME);
        }
        self
    }

    /// Adds a type by its name, with its parameters.
    pub fn named<T>(&mut self) -> &mut Self {
        self.name(std::any::type_name::<T>())
    }
}

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;
