//! Enums of ours that are enums of the protocol, value by value.

/// An enum of ours and its number in the protocol.
pub(crate) trait WireEnum: Sized {
    /// What the number means.
    fn from_proto(value: i32) -> Self;

    /// The number; none for a value that is unknown.
    fn to_proto(self) -> Option<i32>;
}

/// Makes an enum of ours from one of the protocol: each value by name, anything else as `Unknown`.
macro_rules! wire_enum {
    ($(#[$meta:meta])* $name:ident from $proto:path { $($(#[$doc:meta])* $ours:ident = $theirs:ident => $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $ours,)*
            /// A value that this crate does not know, or none at all.
            Unknown,
        }

        impl $crate::types::WireEnum for $name {
            fn from_proto(value: i32) -> Self {
                match <$proto>::try_from(value) {
                    $(Ok(<$proto>::$theirs) => Self::$ours,)*
                    _ => Self::Unknown,
                }
            }

            fn to_proto(self) -> Option<i32> {
                match self {
                    $(Self::$ours => Some(<$proto>::$theirs.into()),)*
                    Self::Unknown => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(match self {
                    $(Self::$ours => $text,)*
                    Self::Unknown => "UNKNOWN",
                })
            }
        }
    };
}
pub(super) use wire_enum;
