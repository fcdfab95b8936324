//! A request that is only thought through: the planner's answer over what this master knows, with the request added.

use crate::policy::Policy;
use crate::view::View;
use maas_cli::ErrorCode;
use maas_client::api::{PlanAnswer, PlanQuestion};

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// From the list of error codes.
    pub code: ErrorCode,
    /// What, which value, what to do.
    pub text: String,
}

/// What would follow. Pure.
pub fn think_through(_view: &View, _question: &PlanQuestion, _policy: &Policy) -> Result<PlanAnswer, Refused> {
    Err(Refused { code: ErrorCode::Defect, text: "not there yet".to_string() })
}
