//! Users and permissions as tools read and change them (3001 to 3010).

use rocketmq_remoting::Json;
use rocketmq_remoting::body::AclInfo;
use rocketmq_remoting::requests::admin::{
    CreateAclRequest, CreateUserRequest, DeleteAclRequest, DeleteUserRequest, GetAclRequest, GetUserRequest,
    ListAclRequest, ListUserRequest, UpdateAclRequest, UpdateUserRequest,
};

use super::policy::{Acl, PolicyType};
use super::resource::Resource;
use super::users::{User, is_super};
use super::{Auth, Tables, subject};
use crate::broker::acl::needs::{GET, UPDATE};
use crate::broker::requests::Requests;
use crate::exchange::{Asked, Refusal, Response, on_disk};

/// The requests about users and permissions.
pub(crate) fn requests(on: &mut Requests<'_, Auth>) {
    on.request::<CreateUserRequest>(|_, _| UPDATE.cluster(), on_disk(create_user));
    on.request::<UpdateUserRequest>(|_, _| UPDATE.cluster(), on_disk(update_user));
    on.request::<DeleteUserRequest>(|_, _| UPDATE.cluster(), on_disk(delete_user));
    on.request::<GetUserRequest>(|_, _| GET.cluster(), get_user);
    on.request::<ListUserRequest>(|_, _| GET.cluster(), list_users);
    on.request::<CreateAclRequest>(|_, _| UPDATE.cluster(), on_disk(create_acl));
    on.request::<UpdateAclRequest>(|_, _| UPDATE.cluster(), on_disk(update_acl));
    on.request::<DeleteAclRequest>(|_, _| UPDATE.cluster(), on_disk(delete_acl));
    on.request::<GetAclRequest>(|_, _| GET.cluster(), get_acl);
    on.request::<ListAclRequest>(|_, _| GET.cluster(), list_acls);
}

/// AUTH_CREATE_USER (3001).
pub(crate) fn create_user(auth: &Auth, asked: Asked<'_, CreateUserRequest>) -> Response<CreateUserRequest> {
    let asker = asked.access_key().map(str::to_owned);
    let name = named(&asked.header.username)?;
    let Json(info) = asked.body;
    {
        let mut tables = auth.tables.write();
        if is_super(&info) == Some(true) && !tables.is_above_all(asker.as_deref())? {
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
pub(crate) fn update_user(auth: &Auth, asked: Asked<'_, UpdateUserRequest>) -> Response<UpdateUserRequest> {
    let asker = asked.access_key().map(str::to_owned);
    let name = named(&asked.header.username)?;
    let Json(info) = asked.body;
    {
        let mut tables = auth.tables.write();
        let by_super = tables.is_above_all(asker.as_deref())?;
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
pub(crate) fn delete_user(auth: &Auth, asked: Asked<'_, DeleteUserRequest>) -> Response<DeleteUserRequest> {
    let asker = asked.access_key().map(str::to_owned);
    let name = asked.header.username;
    {
        let mut tables = auth.tables.write();
        let is_super = tables.users.get(&name).is_some_and(|user| user.is_super);
        if is_super && !tables.is_above_all(asker.as_deref())? {
            return Err(Refusal::forbidden("The super user can only be update by super user"));
        }
        tables.users.remove(&name);
        tables.acls.remove(&name);
    }
    saved(auth.save_acls().and_then(|()| auth.save_users()))
}

/// AUTH_GET_USER (3004). No such user is a success without a body.
pub(crate) fn get_user(auth: &Auth, asked: Asked<'_, GetUserRequest>) -> Response<GetUserRequest> {
    let name = named(&asked.header.username)?;
    match auth.tables.read().users.get(&name) {
        Some(user) => Ok(Some(Json(user.show(&name)))),
        None => Ok(None),
    }
}

/// AUTH_LIST_USER (3005).
pub(crate) fn list_users(auth: &Auth, asked: Asked<'_, ListUserRequest>) -> Response<ListUserRequest> {
    let filter = asked.header.filter.unwrap_or_default();
    let tables = auth.tables.read();
    let users = tables.users.iter().filter(|(name, _)| name.contains(filter.trim()));
    Ok(listed(users.map(|(name, user)| user.show(name)).collect()))
}

/// AUTH_CREATE_ACL (3006).
pub(crate) fn create_acl(auth: &Auth, asked: Asked<'_, CreateAclRequest>) -> Response<CreateAclRequest> {
    put_acl(auth, &asked.header.subject, &asked.body.0)
}

/// AUTH_UPDATE_ACL (3007), which does as the one before.
pub(crate) fn update_acl(auth: &Auth, asked: Asked<'_, UpdateAclRequest>) -> Response<UpdateAclRequest> {
    put_acl(auth, &asked.header.subject, &asked.body.0)
}

fn put_acl(auth: &Auth, header: &str, info: &AclInfo) -> Result<(), Refusal> {
    let named = info.subject.as_deref().and_then(user_of).or_else(|| user_of(header));
    let name = named.ok_or_else(|| Refusal::forbidden("The subject type is null."))?;
    let acl = Acl::read(info).map_err(Refusal::forbidden)?;
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
pub(crate) fn delete_acl(auth: &Auth, asked: Asked<'_, DeleteAclRequest>) -> Response<DeleteAclRequest> {
    let request = asked.header;
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
pub(crate) fn get_acl(auth: &Auth, asked: Asked<'_, GetAclRequest>) -> Response<GetAclRequest> {
    let request = asked.header;
    let tables = auth.tables.read();
    let name = tables.subject(&request.subject)?;
    match tables.acls.get(name) {
        Some(acl) => Ok(Some(Json(acl.show(&subject(name), "")))),
        None => Ok(None),
    }
}

/// AUTH_LIST_ACL (3010).
pub(crate) fn list_acls(auth: &Auth, asked: Asked<'_, ListAclRequest>) -> Response<ListAclRequest> {
    let request = asked.header;
    let subjects = request.subject_filter.unwrap_or_default();
    let resources = request.resource_filter.unwrap_or_default();
    let tables = auth.tables.read();
    let all = tables.acls.iter().map(|(name, acl)| (subject(name), acl));
    let some = all.filter(|(subject, _)| subject.contains(subjects.trim()));
    let shown = some.map(|(subject, acl)| acl.show(&subject, resources.trim()));
    Ok(listed(shown.filter(|info| !info.policies.is_empty()).collect()))
}

impl Tables {
    /// Returns true if a super user asks, or if nobody has to name a user.
    fn is_above_all(&self, asker: Option<&str>) -> Result<bool, Refusal> {
        let Some(name) = asker else { return Ok(true) };
        let user = self.users.get(name);
        user.map(|user| user.is_super).ok_or_else(|| Refusal::forbidden(format!("User:{name} is not found")))
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

fn saved(result: Result<(), crate::store::StoreError>) -> Result<(), Refusal> {
    result.map_err(Refusal::system)
}

/// An empty list is a success without a body.
fn listed<T>(list: Vec<T>) -> Option<Json<Vec<T>>> {
    (!list.is_empty()).then_some(Json(list))
}
