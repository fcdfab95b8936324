//! Patterns that are there without any file, under the names that pattern files customarily use.
//!
//! Written for speed: no look-behind where the neighbours of a pattern decide as well, no group that nobody wants.

/// Each name and its pattern.
pub(super) const PATTERNS: &[(&str, &str)] = &[
    // Words and numbers.
    ("USERNAME", r"[\w.-]+"),
    ("USER", r"%{USERNAME:UNWANTED}"),
    ("INT", r"[+-]?\d+"),
    ("BASE10NUM", r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)"),
    ("NUMBER", r"%{BASE10NUM:UNWANTED}"),
    ("BASE16NUM", r"[+-]?(?:0[xX])?[0-9A-Fa-f]+"),
    ("BASE16FLOAT", r"[+-]?(?:0[xX])?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)"),
    ("POSINT", r"\b[1-9]\d*\b"),
    ("NONNEGINT", r"\b\d+\b"),
    ("WORD", r"\b\w+\b"),
    ("NOTSPACE", r"\S+"),
    ("SPACE", r"\s*"),
    ("DATA", r".*?"),
    ("GREEDYDATA", r".*"),
    ("QUOTEDSTRING", r#""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`"#),
    ("QS", r"%{QUOTEDSTRING:UNWANTED}"),
    ("UUID", r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    // Networks.
    ("MAC", r"%{CISCOMAC:UNWANTED}|%{WINDOWSMAC:UNWANTED}|%{COMMONMAC:UNWANTED}"),
    ("CISCOMAC", r"[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}"),
    ("WINDOWSMAC", r"[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}"),
    ("COMMONMAC", r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}"),
    ("IPV4", r"\b(?:(?:25[0-5]|2[0-4]\d|[01]?\d{1,2})\.){3}(?:25[0-5]|2[0-4]\d|[01]?\d{1,2})\b"),
    (
        "IPV6",
        concat!(
            r"(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}",
            r"|(?:[0-9A-Fa-f]{1,4}:){6}(?:\d{1,3}\.){3}\d{1,3}",
            r"|(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?::(?:(?:[0-9A-Fa-f]{1,4}:){0,5}(?:\d{1,3}\.){3}\d{1,3}",
            r"|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?)(?:%\w+)?",
        ),
    ),
    ("IP", r"%{IPV4:UNWANTED}|%{IPV6:UNWANTED}"),
    ("HOSTNAME", r"\b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*\.?"),
    ("HOST", r"%{HOSTNAME:UNWANTED}"),
    ("IPORHOST", r"%{IP:UNWANTED}|%{HOSTNAME:UNWANTED}"),
    ("HOSTPORT", r"%{IPORHOST:UNWANTED}:%{POSINT:PORT}"),
    // Paths and addresses.
    ("PATH", r"%{UNIXPATH:UNWANTED}|%{WINPATH:UNWANTED}"),
    ("UNIXPATH", r"(?:/[\w%!$@:.,+~-]*)+"),
    ("WINPATH", r"(?:[A-Za-z]:|\\)(?:\\[^\\?*]*)+"),
    ("TTY", r"/dev/(?:pts|tty[pq]?)\w*/?\d+"),
    ("URIPROTO", r"[A-Za-z][A-Za-z0-9+.-]*"),
    ("URIHOST", r"%{IPORHOST:UNWANTED}(?::\d+)?"),
    ("URIPATH", r"(?:/[\w$.+!*'(){},~:;=@#%&-]*)+"),
    ("URIPARAM", r"\?[\w$.+!*'|(){},~@#%&/=:;?\[\]<>-]*"),
    ("URIPATHPARAM", r"%{URIPATH:UNWANTED}(?:%{URIPARAM:UNWANTED})?"),
    (
        "URI",
        r"%{URIPROTO:UNWANTED}://(?:%{USER:UNWANTED}(?::[^@\s]*)?@)?(?:%{URIHOST:UNWANTED})?(?:%{URIPATHPARAM:UNWANTED})?",
    ),
    // Dates and times.
    (
        "MONTH",
        r"\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b",
    ),
    ("MONTHNUM", r"(?:0?[1-9]|1[0-2])"),
    ("MONTHNUM2", r"(?:0[1-9]|1[0-2])"),
    ("MONTHDAY", r"(?:0[1-9]|[12]\d|3[01]|[1-9])"),
    ("DAY", r"(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)"),
    ("YEAR", r"(?:\d\d){1,2}"),
    ("HOUR", r"(?:2[0-3]|[01]?\d)"),
    ("MINUTE", r"[0-5]\d"),
    ("SECOND", r"(?:[0-5]?\d|60)(?:[:.,]\d+)?"),
    ("TIME", r"%{HOUR:UNWANTED}:%{MINUTE:UNWANTED}:%{SECOND:UNWANTED}"),
    ("DATE_US", r"%{MONTHNUM:UNWANTED}[/-]%{MONTHDAY:UNWANTED}[/-]%{YEAR:UNWANTED}"),
    ("DATE_EU", r"%{MONTHDAY:UNWANTED}[./-]%{MONTHNUM:UNWANTED}[./-]%{YEAR:UNWANTED}"),
    ("DATE", r"%{DATE_US:UNWANTED}|%{DATE_EU:UNWANTED}"),
    ("DATESTAMP", r"(?:%{DATE:UNWANTED})[- ]%{TIME:UNWANTED}"),
    ("ISO8601_TIMEZONE", r"(?:Z|[+-]%{HOUR:UNWANTED}(?::?%{MINUTE:UNWANTED}))"),
    ("ISO8601_SECOND", r"%{SECOND:UNWANTED}"),
    (
        "TIMESTAMP_ISO8601",
        r"%{YEAR:UNWANTED}-%{MONTHNUM:UNWANTED}-%{MONTHDAY:UNWANTED}[T ]%{HOUR:UNWANTED}:?%{MINUTE:UNWANTED}(?::?%{SECOND:UNWANTED})?%{ISO8601_TIMEZONE:UNWANTED}?",
    ),
    ("TZ", r"(?:[PMCE][SD]T|UTC|GMT)"),
    (
        "DATESTAMP_RFC822",
        r"%{DAY:UNWANTED} %{MONTH:UNWANTED} %{MONTHDAY:UNWANTED} %{YEAR:UNWANTED} %{TIME:UNWANTED} %{TZ:UNWANTED}",
    ),
    (
        "DATESTAMP_RFC2822",
        r"%{DAY:UNWANTED}, %{MONTHDAY:UNWANTED} %{MONTH:UNWANTED} %{YEAR:UNWANTED} %{TIME:UNWANTED} %{ISO8601_TIMEZONE:UNWANTED}",
    ),
    (
        "DATESTAMP_OTHER",
        r"%{DAY:UNWANTED} %{MONTH:UNWANTED} %{MONTHDAY:UNWANTED} %{TIME:UNWANTED} %{TZ:UNWANTED} %{YEAR:UNWANTED}",
    ),
    (
        "DATESTAMP_EVENTLOG",
        r"%{YEAR:UNWANTED}%{MONTHNUM2:UNWANTED}%{MONTHDAY:UNWANTED}%{HOUR:UNWANTED}%{MINUTE:UNWANTED}%{SECOND:UNWANTED}",
    ),
    ("HTTPDATE", r"%{MONTHDAY:UNWANTED}/%{MONTH:UNWANTED}/%{YEAR:UNWANTED}:%{TIME:UNWANTED} %{INT:UNWANTED}"),
    // System logs.
    ("SYSLOGTIMESTAMP", r"%{MONTH:UNWANTED} +%{MONTHDAY:UNWANTED} %{TIME:UNWANTED}"),
    ("PROG", r"[\w._/%-]+"),
    ("SYSLOGPROG", r"%{PROG:program}(?:\[%{POSINT:pid}\])?"),
    ("SYSLOGHOST", r"%{IPORHOST:UNWANTED}"),
    ("SYSLOGFACILITY", r"<%{NONNEGINT:facility}\.%{NONNEGINT:priority}>"),
    (
        "SYSLOGBASE",
        r"%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY:UNWANTED} )?%{SYSLOGHOST:logsource} %{SYSLOGPROG:UNWANTED}:",
    ),
    ("LOGLEVEL", r"(?i:trace|debug|notice|info|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|emerg(?:ency)?)"),
    // Web servers and proxies.
    (
        "COMMONAPACHELOG",
        r#"%{IPORHOST:clientip} %{USER:ident} %{USER:auth} \[%{HTTPDATE:timestamp}\] "(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" %{NUMBER:response} (?:%{NUMBER:bytes}|-)"#,
    ),
    ("COMBINEDAPACHELOG", r"%{COMMONAPACHELOG:UNWANTED} %{QS:referrer} %{QS:agent}"),
    (
        "SQUID_DELIMITED",
        r"%{NUMBER:timestamp}\s+%{INT:elapsed} %{IP:ip_src_addr} %{WORD:action}/%{NUMBER:code} %{NUMBER:bytes} %{WORD:method} %{NOTSPACE:url}[^0-9]*(%{IP:ip_dst_addr})?",
    ),
];
