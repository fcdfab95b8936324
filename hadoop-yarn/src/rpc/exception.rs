//! What a server answers in place of a result: the name of a Java class and a message.

use std::fmt;

/// An exception of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    class: String,
    message: String,
    trace: String,
    fatal: bool,
}

/// What an exception means for the caller, as far as this crate or its users decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExceptionKind {
    /// This ResourceManager does not lead; another does.
    Standby,
    /// The server asks to be called again in a moment.
    Retriable,
    /// The NodeManager has not yet registered with the ResourceManager: call again in a moment.
    NodeNotReady,
    /// The token is unknown, too old, or no longer valid. For an application master: its attempt is over, or its token was rolled long ago.
    InvalidToken,
    /// Not permitted, or not authenticated as the server wants it.
    AccessControl,
    /// The ResourceManager has restarted (or the master has not registered yet): register again, then send every ask again.
    NotRegistered,
    /// This attempt is over: stop at once, without unregistering.
    AttemptNotFound,
    /// No such application.
    ApplicationNotFound,
    /// An ask is over the maximum, negative or names a resource that no node has: nothing of the call was taken.
    InvalidResourceRequest,
    /// An ask names a label that the cluster does not have, or that the queue may not use: nothing of the call was taken.
    InvalidLabel,
    /// The request breaks the protocol, such as a wrong response id or a second registration.
    InvalidMasterRequest,
    /// A container's token comes from a ResourceManager that has restarted since: give the container up and ask anew.
    InvalidContainer,
    /// The server does not know the method or protocol, or another version of it.
    NoSuchCall,
    /// Anything else.
    Other,
}

impl Exception {
    /// Takes apart what stands in an answer: the message is followed by the Java stack trace, which begins with the first `\n\tat `.
    pub(crate) fn from_wire(class: &str, text: &str, fatal: bool) -> Self {
        let (message, trace) = text.split_once("\n\tat ").unwrap_or((text, ""));
        // Servers before 3.x put the class in front of the message.
        let message = message.strip_prefix(class).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message);
        Self { class: class.to_owned(), message: message.trim().to_owned(), trace: trace.to_owned(), fatal }
    }

    /// The Java class, such as `org.apache.hadoop.yarn.exceptions.ApplicationNotFoundException`; `$` parts a nested one from its outer one.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// The class without its package.
    pub fn simple_class(&self) -> &str {
        self.class.rsplit(['.', '$']).next().unwrap_or(&self.class)
    }

    /// The message, without the stack trace. May hold line breaks.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The Java stack trace, for a log; empty when the server sent none.
    pub fn trace(&self) -> &str {
        &self.trace
    }

    /// Whether the server closed the connection with it.
    pub fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// What it means for the caller. Classes as Hadoop 3.5.0 sends them.
    pub fn kind(&self) -> ExceptionKind {
        match self.simple_class() {
            "StandbyException" => ExceptionKind::Standby,
            "RetriableException" => ExceptionKind::Retriable,
            "NMNotYetReadyException" => ExceptionKind::NodeNotReady,
            "InvalidToken" => ExceptionKind::InvalidToken,
            "AccessControlException" | "AuthorizationException" | "SaslException" => ExceptionKind::AccessControl,
            "ApplicationMasterNotRegisteredException" => ExceptionKind::NotRegistered,
            "ApplicationAttemptNotFoundException" => ExceptionKind::AttemptNotFound,
            "ApplicationNotFoundException" => ExceptionKind::ApplicationNotFound,
            "InvalidLabelResourceRequestException" => ExceptionKind::InvalidLabel,
            "InvalidResourceRequestException" => ExceptionKind::InvalidResourceRequest,
            "InvalidApplicationMasterRequestException" => ExceptionKind::InvalidMasterRequest,
            "InvalidContainerException" => ExceptionKind::InvalidContainer,
            "RpcNoSuchMethodException" | "RpcNoSuchProtocolException" | "VersionMismatch" => ExceptionKind::NoSuchCall,
            // The ResourceManager wraps refusals of rights: only the message has the real class.
            "YarnException" if self.message.contains("AccessControlException: ") => ExceptionKind::AccessControl,
            _ => ExceptionKind::Other,
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.simple_class(), self.message()) {
            ("", "") => f.write_str("the server gave no reason"),
            ("", message) => f.write_str(message),
            (class, "") => f.write_str(class),
            (class, message) => write!(f, "{class}: {message}"),
        }
    }
}

impl std::error::Error for Exception {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_ends_where_the_trace_begins() {
        let exception = Exception::from_wire("a.b.FooException", "two\nlines\n\tat a.b.C(C.java:1)\n\tat d", false);
        assert_eq!(exception.message(), "two\nlines");
        assert_eq!(exception.trace(), "a.b.C(C.java:1)\n\tat d");
        assert_eq!(exception.to_string(), "FooException: two\nlines");
    }

    #[test]
    fn nested_classes_are_known_by_their_own_name() {
        let exception = Exception::from_wire("org.apache.hadoop.security.token.SecretManager$InvalidToken", "no", true);
        assert_eq!(exception.kind(), ExceptionKind::InvalidToken);
    }

    #[test]
    fn a_refused_right_is_known_in_its_wrapping() {
        let text = "org.apache.hadoop.security.AccessControlException: User bob does not have permission to submit";
        let exception = Exception::from_wire("org.apache.hadoop.yarn.exceptions.YarnException", text, false);
        assert_eq!(exception.kind(), ExceptionKind::AccessControl);
    }
}
