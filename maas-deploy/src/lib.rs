//! maas-deploy.
