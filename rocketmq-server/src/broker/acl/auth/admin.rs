//! Users and permissions as tools read and change them (3001 to 3010).

use rocketmq_remoting::body::{AclInfo, UserInfo};
use rocketmq_remoting::requests::admin::{
    CreateAclRequest, CreateUserRequest, DeleteAclRequest, DeleteUserRequest, GetAclRequest, GetUserRequest,
    ListAclRequest, ListUserRequest, UpdateAclRequest, UpdateUserRequest,
};
use rocketmq_remoting::{Command, Request, signature};

use super::policy::{Acl, PolicyType};
use super::resource::Resource;
use super::users::{User, is_super};
use super::{Auth, Tables, subject};
use crate::broker::answer::{Refusal, Reply, body_of, ok, ok_json};

/// AUTH_CREATE_USER (3001).
pub fn create_user(auth: &Auth, command: &Command) -> Reply {
    let name = named(&CreateUserRequest::from_ext(&command.ext)?.username)?;
    let info: UserInfo = body_of(command)?;
    {
        let mut tables = auth.tables.write();
        if is_super(&info) == Some(true) && !tables.asked_by_super(command)? {
            return Err(Refusal::system("The super user can only be create by super user"));
        }
        let user = User::new(&info).ok_or_else(|| Refusal::forbidden("password can not be blank"))?;
        if tables.users.contains_key(&name) {
            return Err(Refusal::forbidden("The user is existed"));
        }
        tables.users.insert(name, user);
    }
    saved(auth.save_users())
}

/// AUTH_UPDATE_USER (3002).
pub fn update_user(auth: &Auth, command: &Command) -> Reply {
    let name = named(&UpdateUserRequest::from_ext(&command.ext)?.username)?;
    let info: UserInfo = body_of(command)?;
    {
        let mut tables = auth.tables.write();
        let by_super = tables.asked_by_super(command)?;
        if is_super(&info) == Some(true) && !by_super {
            return Err(Refusal::system("The super user can only be update by super user"));
        }
        let user = tables.users.get_mut(&name).ok_or_else(|| Refusal::forbidden("The user is not exist"))?;
        if user.is_super && !by_super {
            return Err(Refusal::forbidden("The super user can only be update by super user"));
        }
        user.update(&info);
    }
    saved(auth.save_users())
}

/// AUTH_DELETE_USER (3003). Deletes the user's permissions too; a user that is not there is deleted already.
pub fn delete_user(auth: &Auth, command: &Command) -> Reply {
    let name = DeleteUserRequest::from_ext(&command.ext)?.username;
    {
        let mut tables = auth.tables.write();
        let is_super = tables.users.get(&name).is_some_and(|user| user.is_super);
        if is_super && !tables.asked_by_super(command)? {
            return Err(Refusal::forbidden("The super user can only be update by super user"));
        }
        tables.users.remove(&name);
        tables.acls.remove(&name);
    }
    saved(auth.save_acls().and_then(|()| auth.save_users()))
}

/// AUTH_GET_USER (3004). No such user is a success without a body.
pub fn get_user(auth: &Auth, command: &Command) -> Reply {
    let name = named(&GetUserRequest::from_ext(&command.ext)?.username)?;
    match auth.tables.read().users.get(&name) {
        Some(user) => ok_json(&user.show(&name)),
        None => Ok(ok()),
    }
}

/// AUTH_LIST_USER (3005).
pub fn list_users(auth: &Auth, command: &Command) -> Reply {
    let filter = ListUserRequest::from_ext(&command.ext)?.filter.unwrap_or_default();
    let tables = auth.tables.read();
    let users = tables.users.iter().filter(|(name, _)| name.contains(filter.trim()));
    listed(users.map(|(name, user)| user.show(name)).collect())
}

/// AUTH_CREATE_ACL (3006).
pub fn create_acl(auth: &Auth, command: &Command) -> Reply {
    put_acl(auth, &CreateAclRequest::from_ext(&command.ext)?.subject, command)
}

/// AUTH_UPDATE_ACL (3007), which does as the one before.
pub fn update_acl(auth: &Auth, command: &Command) -> Reply {
    put_acl(auth, &UpdateAclRequest::from_ext(&command.ext)?.subject, command)
}

fn put_acl(auth: &Auth, header: &str, command: &Command) -> Reply {
    let info: AclInfo = body_of(command)?;
    let named = info.subject.as_deref().and_then(user_of).or_else(|| user_of(header));
    let name = named.ok_or_else(|| Refusal::forbidden("The subject type is null."))?;
    let acl = Acl::read(&info).map_err(Refusal::forbidden)?;
    {
        let mut tables = auth.tables.write();
        if !tables.users.contains_key(name) {
            return Err(Refusal::forbidden(format!("The subject of {} is not exist.", subject(name))));
        }
        tables.acls.entry(name.to_owned()).or_default().merge(acl);
    }
    saved(auth.save_acls())
}

/// AUTH_DELETE_ACL (3008): one resource of one kind of policy, or everything of the user.
pub fn delete_acl(auth: &Auth, command: &Command) -> Reply {
    let request = DeleteAclRequest::from_ext(&command.ext)?;
    {
        let mut tables = auth.tables.write();
        let name = tables.subject(&request.subject)?.to_owned();
        let acl = tables.acls.get_mut(&name).ok_or_else(|| Refusal::forbidden("The acl is not exist."))?;
        match request.resource.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => {
                let resource =
                    Resource::parse(text).ok_or_else(|| Refusal::forbidden("The resource is null."))?;
                let policy = PolicyType::lenient(request.policy_type.as_deref());
                acl.entries(policy).retain(|entry| entry.resource != resource);
            }
            None => *acl = Acl::default(),
        }
        if acl.is_empty() {
            tables.acls.remove(&name);
        }
    }
    saved(auth.save_acls())
}

/// AUTH_GET_ACL (3009). No permissions are a success without a body.
pub fn get_acl(auth: &Auth, command: &Command) -> Reply {
    let request = GetAclRequest::from_ext(&command.ext)?;
    let tables = auth.tables.read();
    let name = tables.subject(&request.subject)?;
    match tables.acls.get(name) {
        Some(acl) => ok_json(&acl.show(&subject(name), "")),
        None => Ok(ok()),
    }
}

/// AUTH_LIST_ACL (3010).
pub fn list_acls(auth: &Auth, command: &Command) -> Reply {
    let request = ListAclRequest::from_ext(&command.ext)?;
    let subjects = request.subject_filter.unwrap_or_default();
    let resources = request.resource_filter.unwrap_or_default();
    let tables = auth.tables.read();
    let all = tables.acls.iter().map(|(name, acl)| (subject(name), acl));
    let some = all.filter(|(subject, _)| subject.contains(subjects.trim()));
    let shown = some.map(|(subject, acl)| acl.show(&subject, resources.trim()));
    listed(shown.filter(|info| !info.policies.is_empty()).collect())
}

impl Tables {
    /// Whether a super user asks, or nobody has to say who he is.
    fn asked_by_super(&self, command: &Command) -> Result<bool, Refusal> {
        match command.ext.get(signature::ACCESS_KEY).filter(|name| !name.is_empty()) {
            None => Ok(true),
            Some(name) => match self.users.get(name) {
                Some(user) => Ok(user.is_super),
                None => Err(Refusal::forbidden(format!("User:{name} is not found"))),
            },
        }
    }

    /// The user behind `User:name`.
    fn subject<'a>(&self, text: &'a str) -> Result<&'a str, Refusal> {
        user_of(text)
            .filter(|name| self.users.contains_key(*name))
            .ok_or_else(|| Refusal::forbidden("The subject is not exist."))
    }
}

fn user_of(subject: &str) -> Option<&str> {
    let (kind, name) = subject.split_once(':')?;
    (kind.eq_ignore_ascii_case("User") && !name.is_empty()).then_some(name)
}

fn named(name: &str) -> Result<String, Refusal> {
    if name.trim().is_empty() { Err(Refusal::invalid("The username is blank")) } else { Ok(name.to_owned()) }
}

fn saved(result: Result<(), crate::store::StoreError>) -> Reply {
    result.map(|()| ok()).map_err(Refusal::system)
}

/// An empty list is a success without a body.
fn listed<T: serde::Serialize>(list: Vec<T>) -> Reply {
    if list.is_empty() { Ok(ok()) } else { ok_json(&list) }
}
